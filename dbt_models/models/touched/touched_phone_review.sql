-- Grain: one row per review of a phone number that new rows change by themselves.
{%- if is_full() %}
{{ nothing({'review_id': 'text'}) }}
{%- else %}
{{ touched_keys('phone_reviews', {'review_id': 'text'}) }}
{%- endif %}
