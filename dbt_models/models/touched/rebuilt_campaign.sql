-- Grain: one row per campaign that has reached other customers, or in other communes or on other days, than as
-- published: all whom it is compared with are looked for again.
{%- if is_full() %}
{{ nothing({'campaign_id': 'text'}) }}
{%- else %}
{%- set told = ['contact_id', 'campaign_id', 'customer_key', 'contacted_on', 'commune_code', 'is_reached'] %}
with published_contact as (
    select published.{{ told | join(', published.') }}
    from {{ source('published', 'fct_campaign_contact') }} as published
    where published.contact_id in (select rebuilt.contact_id from {{ ref('rebuilt_contact') }} as rebuilt)
),

rebuilt_contact as (
    select {{ told | join(', ') }}
    from {{ ref('contact_place') }}
)

select distinct changed.campaign_id
from (
    {{ in_one_only('published_contact', 'rebuilt_contact', ['contact_id'], ['campaign_id']) }}
) as changed
{%- endif %}
