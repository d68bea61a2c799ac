-- Grain: as delta.fct_phone_stage. All rows as they will be published.
{{ after_publication('fct_phone_stage', 'rebuilt_verification', {'customer_key': 'customer_key'}) }}
