-- Grain: as delta.kpi_notification_month. All rows as they will be published.
{{ after_publication('kpi_notification_month', 'rebuilt_coverage_month', {'month': 'month'}) }}
