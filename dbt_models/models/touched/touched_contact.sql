-- Grain: one row per contact of a campaign that new rows change by themselves.
{%- if is_full() %}
{{ nothing({'contact_id': 'text'}) }}
{%- else %}
{{ touched_keys('campaign_contacts', {'contact_id': 'text'}) }}
{%- endif %}
