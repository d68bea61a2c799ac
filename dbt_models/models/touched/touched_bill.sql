-- Grain: one row per bill that new rows change by themselves: the bill's own, or a payment that names it now or did
-- when last published.
{%- if is_full() %}
{{ nothing({'bill_id': 'text'}) }}
{%- else %}
{{ touched_keys('bills', {'bill_id': 'text'}) }}
union
select raw_row.bill_id
from {{ source('raw', 'payments') }} as raw_row
inner join {{ ref('touched_payment') }} as touched
    on raw_row.partner_code = touched.partner_code and raw_row.transaction_id = touched.transaction_id
where raw_row.bill_id is not null
union
select published.bill_id
from {{ source('published', 'fct_payment') }} as published
inner join {{ ref('touched_payment') }} as touched
    on published.partner_code = touched.partner_code and published.transaction_id = touched.transaction_id
where published.bill_id is not null
{%- endif %}
