-- Grain: as delta.fct_counter_customer. All rows as they will be published.
{{ after_publication(
    'fct_counter_customer', 'rebuilt_counter', {'collection_point_code': 'collection_point_code'}
) }}
