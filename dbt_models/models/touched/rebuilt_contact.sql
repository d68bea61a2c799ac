-- Grain: one row per contact that is made anew: touched, or of a customer whose bills or places may have changed.
{%- if is_full() %}
{{ nothing({'contact_id': 'text'}) }}
{%- else %}
select contact_id from {{ ref('touched_contact') }}
union
select published.contact_id
from {{ source('published', 'fct_campaign_contact') }} as published
where published.customer_key in (select rebuilt.customer_key from {{ ref('rebuilt_customer') }} as rebuilt)
{%- endif %}
