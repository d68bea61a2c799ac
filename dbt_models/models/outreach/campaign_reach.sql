-- Grain: one row per contact of any campaign by which somebody was reached, as it will be published.
{{ config(materialized='view') }}
select
    campaign_id,
    customer_key,
    contacted_on,
    {{ era_of('contacted_on') }} as era,
    commune_code
from {{ ref('contact_place') }}
where is_reached
{%- if not is_full() %}
union all
select
    published.campaign_id,
    published.customer_key,
    published.contacted_on,
    {{ era_of('published.contacted_on') }} as era,
    published.commune_code
from {{ source('published', 'fct_campaign_contact') }} as published
where
    published.is_reached
    and not exists (
        select 1 from {{ ref('rebuilt_contact') }} as rebuilt
        where rebuilt.contact_id = published.contact_id
    )
{%- endif %}
