-- Grain: one row per bill that is made anew and file of which new or withdrawn rows may have changed it: rows of the
-- bill itself, payments that pay or name it, now or as published, and what they reverse; the owner's own rows; and of
-- a customer with payments that name no bill every new row, since these payments move from bill to bill.
{%- if is_full() %}
{{ nothing({'bill_id': 'text', 'file_id': 'integer'}) }}
{%- else %}
with new_bill as (
    {{ touched_keys('bills', {'bill_id': 'text', 'customer_code': 'text', 'file_id': 'integer'}) }}
),

new_payment as (
    {{ touched_keys('payments', {
        'partner_code': 'text', 'transaction_id': 'text', 'reverses_transaction_id': 'text', 'customer_code': 'text',
        'bill_id': 'text', 'file_id': 'integer'
    }) }}
),

new_customer as (
    {{ touched_keys('customers', {'customer_code': 'text', 'file_id': 'integer'}) }}
),

moved as (
    select
        partner_code,
        transaction_id,
        file_id
    from new_payment
    union
    select
        partner_code,
        reverses_transaction_id as transaction_id,
        file_id
    from new_payment
    where reverses_transaction_id is not null
),

paid as (
    select
        partner_code,
        transaction_id,
        bill_id
    from {{ ref('fct_allocation') }}
    union
    select
        published.partner_code,
        published.transaction_id,
        published.bill_id
    from {{ source('published', 'fct_allocation') }} as published
    where published.bill_id in (select rebuilt.bill_id from {{ ref('rebuilt_bill') }} as rebuilt)
),

of_customer as (
    select
        customer_code,
        file_id
    from new_customer
    union
    select
        new_row.customer_code,
        new_row.file_id
    from (
        select
            customer_code,
            file_id
        from new_bill
        union
        select
            customer_code,
            file_id
        from new_payment
    ) as new_row
    inner join {{ ref('touched_customer') }} as touched
        on new_row.customer_code = touched.customer_code
)

select
    bill_id,
    file_id
from new_bill
union
select
    bill_id,
    file_id
from new_payment
where bill_id is not null
union
select
    paid.bill_id,
    moved.file_id
from moved
inner join paid
    on moved.partner_code = paid.partner_code and moved.transaction_id = paid.transaction_id
union
select
    bill.bill_id,
    of_customer.file_id
from of_customer
inner join {{ source('private', 'customer_key') }} as customer_key
    on of_customer.customer_code = customer_key.customer_code
inner join {{ ref('fct_bill') }} as bill
    on customer_key.customer_key = bill.customer_key
{%- endif %}
