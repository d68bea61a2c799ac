-- Grain: as delta.fct_campaign_baseline. All rows as they will be published.
{{ after_publication(
    'fct_campaign_baseline', 'rebuilt_baseline', {'campaign_id': 'campaign_id', 'customer_key': 'customer_key'}
) }}
