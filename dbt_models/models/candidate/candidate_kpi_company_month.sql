-- Grain: as delta.kpi_company_month. All rows as they will be published.
{{ after_publication('kpi_company_month', 'rebuilt_month', {'bill_month': 'bill_month'}) }}
