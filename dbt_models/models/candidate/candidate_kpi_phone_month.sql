-- Grain: as delta.kpi_phone_month. All rows as they will be published.
{{ after_publication('kpi_phone_month', 'rebuilt_coverage_month', {'month': 'month'}) }}
