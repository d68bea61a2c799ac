-- Grain: one row per campaign and customer whose place in the campaign's baseline gives way to that of this build.
{%- if is_full() %}
{{ nothing({'campaign_id': 'text', 'customer_key': 'bigint'}) }}
{%- else %}
select
    published.campaign_id,
    published.customer_key
from {{ source('published', 'fct_campaign_baseline') }} as published
where
    published.campaign_id in (select rebuilt.campaign_id from {{ ref('rebuilt_campaign') }} as rebuilt)
    or published.customer_key in (select rebuilt.customer_key from {{ ref('rebuilt_customer') }} as rebuilt)
union
select
    campaign_id,
    customer_key
from {{ ref('fct_campaign_baseline') }}
{%- endif %}
