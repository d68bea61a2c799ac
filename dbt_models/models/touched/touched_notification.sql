-- Grain: one row per notice that new rows change by themselves.
{%- if is_full() %}
{{ nothing({'notification_id': 'text'}) }}
{%- else %}
{{ touched_keys('notifications', {'notification_id': 'text'}) }}
{%- endif %}
