-- Grain: one row per customer of whom all bills and all payments without a bill are looked at again: new rows of the
-- customer or a mandate; or payments that name no bill, where the customer owns a touched bill or made a touched
-- payment: what such payments pay depends on all other bills of the customer.
{%- if is_full() %}
{{ nothing({'customer_code': 'text', 'customer_key': 'bigint'}) }}
{%- else %}
with mandate as (
    {{ touched_keys('auto_debit_mandates', {'mandate_id': 'text', 'customer_code': 'text'}) }}
),

own_rows as (
    {{ touched_keys('customers', {'customer_code': 'text'}) }}
    union
    select customer_code from mandate
    union
    -- A newer row may have given the mandate to another customer.
    select raw_row.customer_code
    from {{ source('raw', 'auto_debit_mandates') }} as raw_row
    where raw_row.mandate_id in (select mandate.mandate_id from mandate)
),

party as (
    select raw_row.customer_code
    from {{ source('raw', 'bills') }} as raw_row
    where raw_row.bill_id in (select touched.bill_id from {{ ref('touched_bill') }} as touched)
    union
    select raw_row.customer_code
    from {{ source('raw', 'payments') }} as raw_row
    inner join {{ ref('touched_payment') }} as touched
        on raw_row.partner_code = touched.partner_code and raw_row.transaction_id = touched.transaction_id
    union
    select customer_key.customer_code
    from {{ source('published', 'fct_bill') }} as published
    inner join {{ source('private', 'customer_key') }} as customer_key
        on published.customer_key = customer_key.customer_key
    where published.bill_id in (select touched.bill_id from {{ ref('touched_bill') }} as touched)
),

-- A payment without a bill that is no more, or names one now: as published it had a part in what its payer owed.
once_unnamed as (
    select customer_key.customer_code
    from {{ source('published', 'fct_payment') }} as published
    inner join {{ ref('touched_payment') }} as touched
        on published.partner_code = touched.partner_code and published.transaction_id = touched.transaction_id
    inner join {{ source('private', 'customer_key') }} as customer_key
        on published.customer_key = customer_key.customer_key
    where published.bill_id is null
),

touched as (
    select customer_code from own_rows
    union
    select party.customer_code
    from party
    where
        exists (
            select 1 from {{ source('raw', 'payments') }} as raw_row
            where raw_row.customer_code = party.customer_code and raw_row.bill_id is null
        )
    union
    select customer_code from once_unnamed
)

select
    touched.customer_code,
    customer_key.customer_key
from touched
inner join {{ source('private', 'customer_key') }} as customer_key
    on touched.customer_code = customer_key.customer_code
{%- endif %}
