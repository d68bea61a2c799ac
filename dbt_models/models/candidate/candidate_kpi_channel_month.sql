-- Grain: as delta.kpi_channel_month. All rows as they will be published.
{{ after_publication('kpi_channel_month', 'rebuilt_month', {'bill_month': 'bill_month'}) }}
