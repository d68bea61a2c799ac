-- Grain: as delta.dim_customer. All rows as they will be published.
{{ after_publication('dim_customer', 'touched_customer', {'customer_key': 'customer_key'}) }}
