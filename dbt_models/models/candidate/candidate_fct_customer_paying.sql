-- Grain: as delta.fct_customer_paying. All rows as they will be published.
{{ after_publication('fct_customer_paying', 'rebuilt_customer', {'customer_key': 'customer_key'}) }}
