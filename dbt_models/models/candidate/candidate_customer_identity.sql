-- Grain: as delta.customer_identity. All rows as they will be published.
{{ after_publication('customer_identity', 'touched_customer', {'customer_key': 'customer_key'}) }}
