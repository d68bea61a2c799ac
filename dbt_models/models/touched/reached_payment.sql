-- Grain: one row per transaction that has to be read: the touched ones and what they reverse, all that name a reached
-- bill, those of a touched customer that name none, and all reversals of any of these.
{%- if is_full() %}
{{ nothing({'partner_code': 'text', 'transaction_id': 'text'}) }}
{%- else %}
with reached as (
    select
        partner_code,
        transaction_id
    from {{ ref('touched_payment') }}
    union
    select
        raw_row.partner_code,
        raw_row.reverses_transaction_id
    from {{ source('raw', 'payments') }} as raw_row
    inner join {{ ref('touched_payment') }} as touched
        on raw_row.partner_code = touched.partner_code and raw_row.transaction_id = touched.transaction_id
    where raw_row.reverses_transaction_id is not null
    union
    select
        raw_row.partner_code,
        raw_row.transaction_id
    from {{ source('raw', 'payments') }} as raw_row
    where raw_row.bill_id in (select reached_bill.bill_id from {{ ref('reached_bill') }} as reached_bill)
    union
    select
        raw_row.partner_code,
        raw_row.transaction_id
    from {{ source('raw', 'payments') }} as raw_row
    where
        raw_row.bill_id is null
        and raw_row.customer_code in (select touched.customer_code from {{ ref('touched_customer') }} as touched)
)

select
    partner_code,
    transaction_id
from reached
union
select
    raw_row.partner_code,
    raw_row.transaction_id
from {{ source('raw', 'payments') }} as raw_row
inner join reached
    on raw_row.partner_code = reached.partner_code and raw_row.reverses_transaction_id = reached.transaction_id
{%- endif %}
