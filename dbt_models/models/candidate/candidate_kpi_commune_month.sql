-- Grain: as delta.kpi_commune_month. All rows as they will be published.
{{ after_publication('kpi_commune_month', 'rebuilt_month', {'bill_month': 'bill_month'}) }}
