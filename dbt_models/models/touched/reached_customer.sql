-- Grain: one row per customer whose versions and mandates have to be read: the touched ones, the owners of reached
-- bills, and those whose number's reviews are looked at again.
{%- if is_full() %}
{{ nothing({'customer_code': 'text'}) }}
{%- else %}
select customer_code from {{ ref('touched_customer') }}
union
select raw_row.customer_code
from {{ source('raw', 'bills') }} as raw_row
where raw_row.bill_id in (select reached.bill_id from {{ ref('reached_bill') }} as reached)
union
select customer_code from {{ ref('rebuilt_verification') }}
{%- endif %}
