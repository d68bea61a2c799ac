-- Grain: as delta.kpi_counter_closure. All rows as they will be published.
{{ after_publication('kpi_counter_closure', 'rebuilt_counter', {'collection_point_code': 'collection_point_code'}) }}
