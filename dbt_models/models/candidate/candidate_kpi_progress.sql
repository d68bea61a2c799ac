-- Grain: as delta.kpi_progress. All rows as they will be published.
{{ after_publication('kpi_progress', 'rebuilt_progress_month', {'bill_month': 'bill_month'}) }}
