-- Grain: one row per bill that is made anew and row of a file, loaded or withdrawn since the last publication, that may
-- have changed it: rows of the bill itself, payments that pay or name it, now or as published, and what reverses them;
-- the owner's own rows; and of a customer with payments that name no bill all of the customer's new rows, since such
-- payments move from bill to bill.
{%- if published_through() is none %}
{{ nothing({
    'bill_id': 'text', 'source': 'text', 'file_id': 'integer', 'line': 'integer', 'is_withdrawn': 'boolean',
    'partner_code': 'text', 'transaction_id': 'text'
}) }}
{%- else %}
with new_bill as (
    {{ moved_rows('bills', ['bill_id', 'customer_code']) }}
),

new_payment as (
    {{ moved_rows('payments', [
        'partner_code', 'transaction_id', 'reverses_transaction_id', 'customer_code', 'bill_id'
    ]) }}
),

new_customer as (
    {{ moved_rows('customers', ['customer_code']) }}
),

-- By the payment it moves: its own, and the one it reverses.
moved_payment as (
    select
        *,
        transaction_id as moved_transaction_id
    from new_payment
    union all
    select
        *,
        reverses_transaction_id as moved_transaction_id
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
    where {{ only_those_in('rebuilt_bill', ['bill_id'], 'published') }}
),

party as (
    select customer_code from new_bill
    union
    select customer_code from new_payment
),

-- Who has, or had, payments that name no bill.
unnamed_payer as (
    select party.customer_code
    from party
    where
        {{ only_those_in('touched_customer', ['customer_code'], 'party') }}
        and exists (
            select 1 from {{ source('raw', 'payments') }} as raw_row
            where raw_row.customer_code = party.customer_code and raw_row.bill_id is null
        )
    union
    select customer_code from new_payment
    where bill_id is null
),

of_customer as (
    select
        source,
        file_id,
        line,
        is_withdrawn,
        null as partner_code,
        null as transaction_id,
        customer_code
    from new_customer
    union all
    select
        source,
        file_id,
        line,
        is_withdrawn,
        null as partner_code,
        null as transaction_id,
        customer_code
    from new_bill
    where customer_code in (select payer.customer_code from unnamed_payer as payer)
    union all
    select
        source,
        file_id,
        line,
        is_withdrawn,
        partner_code,
        transaction_id,
        customer_code
    from new_payment
    where customer_code in (select payer.customer_code from unnamed_payer as payer)
)

select
    bill_id,
    source,
    file_id,
    line,
    is_withdrawn,
    null as partner_code,
    null as transaction_id
from new_bill
union
select
    bill_id,
    source,
    file_id,
    line,
    is_withdrawn,
    partner_code,
    transaction_id
from new_payment
where bill_id is not null
union
select
    paid.bill_id,
    moved.source,
    moved.file_id,
    moved.line,
    moved.is_withdrawn,
    moved.partner_code,
    moved.transaction_id
from moved_payment as moved
inner join paid
    on moved.partner_code = paid.partner_code and moved.moved_transaction_id = paid.transaction_id
union
select
    bill.bill_id,
    of_customer.source,
    of_customer.file_id,
    of_customer.line,
    of_customer.is_withdrawn,
    of_customer.partner_code,
    of_customer.transaction_id
from of_customer
inner join {{ source('private', 'customer_key') }} as customer_key
    on of_customer.customer_code = customer_key.customer_code
inner join {{ ref('fct_bill') }} as bill
    on customer_key.customer_key = bill.customer_key
{%- endif %}
