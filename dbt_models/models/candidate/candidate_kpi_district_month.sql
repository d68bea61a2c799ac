-- Grain: as delta.kpi_district_month. All rows as they will be published.
{{ after_publication('kpi_district_month', 'rebuilt_month', {'bill_month': 'bill_month'}) }}
