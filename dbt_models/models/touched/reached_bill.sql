-- Grain: one row per bill that has to be read: the touched ones, and all that a touched customer owns or owned.
{%- if is_full() %}
{{ nothing({'bill_id': 'text'}) }}
{%- else %}
select bill_id from {{ ref('touched_bill') }}
union
select raw_row.bill_id
from {{ source('raw', 'bills') }} as raw_row
where raw_row.customer_code in (select touched.customer_code from {{ ref('touched_customer') }} as touched)
{%- endif %}
