-- Grain: as delta.kpi_power_unit_month. All rows as they will be published.
{{ after_publication('kpi_power_unit_month', 'rebuilt_month', {'bill_month': 'bill_month'}) }}
