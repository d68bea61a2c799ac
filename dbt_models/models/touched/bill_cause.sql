-- Grain: one row per bill that is made anew and row of a file, loaded or withdrawn since the last publication, that may
-- have changed it: the bill's own rows and those of payments that name it or once did, with what reverses them; the
-- owner's rows and mandates; and where a customer has payments that name no bill, which move from bill to bill, all
-- that concerns the customer or a bill of the customer, now or as published.
{%- if published_through() is none %}
{{ nothing({
    'bill_id': 'text', 'source': 'text', 'file_id': 'integer', 'line': 'integer', 'is_withdrawn': 'boolean',
    'partner_code': 'text', 'transaction_id': 'text'
}) }}
{%- else %}
{%- set file_row = 'source, file_id, line, is_withdrawn, partner_code, transaction_id' %}
{%- set moved_row = 'moved.' ~ file_row | replace(', ', ', moved.') %}
-- Not materialized: the planner must see that few of them repeat a key or reverse something.
with new_payment as not materialized (
    {{ moved_rows('payments', {
        'partner_code': 'text', 'transaction_id': 'text', 'reverses_transaction_id': 'text', 'customer_code': 'text',
        'bill_id': 'text', 'is_key_repeated': 'boolean'
    }) }}
),

new_mandate as (
    {{ moved_rows('auto_debit_mandates', {'mandate_id': 'text', 'customer_code': 'text'}) }}
),

-- A transaction that has, or had, other rows may have reversed, named or paid something else before.
known_before as (
    select *
    from new_payment
    where is_key_repeated or is_withdrawn
),

-- By the transaction whose other rows are looked up: its own, and those it reverses or once reversed.
moved_transaction as (
    select
        {{ file_row }},
        transaction_id as moved_transaction_id
    from known_before
    union
    select
        {{ file_row }},
        reverses_transaction_id as moved_transaction_id
    from new_payment
    where reverses_transaction_id is not null
    union
    select
        {{ moved_row }},
        raw_row.reverses_transaction_id as moved_transaction_id
    from known_before as moved
    inner join {{ source('raw', 'payments') }} as raw_row
        on moved.partner_code = raw_row.partner_code and moved.transaction_id = raw_row.transaction_id
    where raw_row.reverses_transaction_id is not null
    union
    select
        {{ moved_row }},
        published.reverses_transaction_id as moved_transaction_id
    from known_before as moved
    inner join {{ source('published', 'fct_payment') }} as published
        on moved.partner_code = published.partner_code and moved.transaction_id = published.transaction_id
    where published.reverses_transaction_id is not null
),

-- The bill, of which it may say nothing, and the customer of each moved row; of a payment also those of the other rows
-- of its transaction and of what it reverses.
concerned as (
    select
        source,
        file_id,
        line,
        is_withdrawn,
        null as partner_code,
        null as transaction_id,
        bill_id,
        customer_code
    from (
        {{ moved_rows('bills', {'bill_id': 'text', 'customer_code': 'text'}) }}
    ) as new_bill
    union
    select
        {{ file_row }},
        bill_id,
        customer_code
    from new_payment
    union
    select
        {{ moved_row }},
        raw_row.bill_id,
        raw_row.customer_code
    from moved_transaction as moved
    inner join {{ source('raw', 'payments') }} as raw_row
        on moved.partner_code = raw_row.partner_code and moved.moved_transaction_id = raw_row.transaction_id
    union
    select
        {{ moved_row }},
        published.bill_id,
        customer_key.customer_code
    from moved_transaction as moved
    inner join {{ source('published', 'fct_payment') }} as published
        on moved.partner_code = published.partner_code and moved.moved_transaction_id = published.transaction_id
    inner join {{ source('private', 'customer_key') }} as customer_key
        on published.customer_key = customer_key.customer_key
),

-- Who has, or had, payments that name no bill.
unnamed_payer as (
    select customer_code
    from concerned
    where bill_id is null
    union
    select raw_row.customer_code
    from {{ source('raw', 'payments') }} as raw_row
    where
        raw_row.bill_id is null
        and {{ only_those_in('touched_customer', ['customer_code'], 'raw_row') }}
),

owned as (
    select
        raw_row.bill_id,
        raw_row.customer_code
    from {{ source('raw', 'bills') }} as raw_row
    where raw_row.customer_code in (select payer.customer_code from unnamed_payer as payer)
    union
    select
        published.bill_id,
        customer_key.customer_code
    from {{ source('published', 'fct_bill') }} as published
    inner join {{ source('private', 'customer_key') }} as customer_key
        on published.customer_key = customer_key.customer_key
    where customer_key.customer_code in (select payer.customer_code from unnamed_payer as payer)
),

-- All bills of these customers may have moved: by what names no bill, and by what concerns one of their bills.
of_payer as (
    select
        {{ file_row }},
        customer_code
    from concerned
    where bill_id is null
    union
    select
        {{ moved_row }},
        owned.customer_code
    from concerned as moved
    inner join owned
        on moved.bill_id = owned.bill_id
),

of_owner as (
    {{ moved_rows('customers', {'customer_code': 'text'}) }}
    union
    select
        source,
        file_id,
        line,
        is_withdrawn,
        customer_code
    from new_mandate
    union
    -- Whose the mandate was by its other rows.
    select
        moved.source,
        moved.file_id,
        moved.line,
        moved.is_withdrawn,
        raw_row.customer_code
    from new_mandate as moved
    inner join {{ source('raw', 'auto_debit_mandates') }} as raw_row
        on moved.mandate_id = raw_row.mandate_id
),

of_rows as (
    select
        {{ file_row }},
        bill_id
    from concerned
    where bill_id is not null
    union
    select
        {{ moved_row }},
        bill.bill_id
    from of_payer as moved
    inner join {{ source('private', 'customer_key') }} as customer_key
        on moved.customer_code = customer_key.customer_code
    inner join {{ ref('fct_bill') }} as bill
        on customer_key.customer_key = bill.customer_key
)

select
    {{ file_row }},
    bill_id
from of_rows
union all
select
    moved.source,
    moved.file_id,
    moved.line,
    moved.is_withdrawn,
    null as partner_code,
    null as transaction_id,
    bill.bill_id
from of_owner as moved
inner join {{ source('private', 'customer_key') }} as customer_key
    on moved.customer_code = customer_key.customer_code
inner join {{ ref('fct_bill') }} as bill
    on customer_key.customer_key = bill.customer_key
{%- endif %}
