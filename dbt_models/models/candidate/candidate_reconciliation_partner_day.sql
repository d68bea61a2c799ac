-- Grain: as delta.reconciliation_partner_day. All rows as they will be published.
{{ after_publication(
    'reconciliation_partner_day', 'rebuilt_partner_day', {'partner_code': 'partner_code', 'paid_on': 'paid_date'}
) }}
