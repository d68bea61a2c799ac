-- Grain: as delta.fct_payment. All rows as they will be published.
{{ after_publication(
    'fct_payment', 'rebuilt_payment', {'partner_code': 'partner_code', 'transaction_id': 'transaction_id'}
) }}
