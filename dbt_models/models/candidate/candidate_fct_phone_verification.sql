-- Grain: as delta.fct_phone_verification. All rows as they will be published.
{{ after_publication('fct_phone_verification', 'rebuilt_verification', {'customer_key': 'customer_key'}) }}
