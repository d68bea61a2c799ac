-- Grain: one row per customer whose bills or places may be other than as published: the owners of rebuilt bills, now
-- and as published, and the touched customers.
{%- if is_full() %}
{{ nothing({'customer_key': 'bigint'}) }}
{%- else %}
select customer_key from {{ ref('touched_customer') }}
union
select customer_key from {{ ref('fct_bill') }}
union
select published.customer_key
from {{ source('published', 'fct_bill') }} as published
where published.bill_id in (select rebuilt.bill_id from {{ ref('rebuilt_bill') }} as rebuilt)
{%- endif %}
