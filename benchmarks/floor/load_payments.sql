-- Second session: payments. Ends with `paid`: what each named bill was offered, and the payments that need care.
\set ON_ERROR_STOP on
set work_mem = '256MB';
set max_parallel_workers_per_gather = 0;
\copy payment_row from program 'tail -q -n +2 payments/*.csv' (format csv)

-- Transactions that are not simply one row: repeated ones, reversals, and what those reverse. Keys are 64-bit hashes.
set enable_hashagg = off; -- sorting 64-bit numbers is quicker than hashing them
create unlogged table special as
select key
from (select hashtextextended(transaction_id, hashtextextended(partner_code, 0)) as key from payment_row) as rows
group by key having count(*) > 1;
set enable_hashagg = on;
insert into special
select unnest(array[
    hashtextextended(transaction_id, hashtextextended(partner_code, 0)),
    hashtextextended(reverses_transaction_id, hashtextextended(partner_code, 0))
])
from payment_row
where kind = 'reversal';
analyze special;

create view channel_weight as
select
    channel_code,
    (channel_class in ('cashless', 'agent_cash'))::int::float8 as cashless,
    (channel_class = 'cashless')::int::float8 as strict
from channel;

-- The special payments' net amounts: conflicts out, current rows, less what reverses them.
create unlogged table mended as
with suspect as (
    select payment_row.*
    from payment_row inner join special
        on hashtextextended(transaction_id, hashtextextended(partner_code, 0)) = special.key
),
conflict as (
    select partner_code, transaction_id
    from suspect
    group by 1, 2
    having min(kind) <> max(kind) or min(customer_code) <> max(customer_code) or min(amount) <> max(amount)
),
transaction as (
    select distinct on (partner_code, transaction_id) *
    from suspect
    where (partner_code, transaction_id) not in (table conflict)
    order by
        partner_code, transaction_id, paid_at desc, reverses_transaction_id desc nulls last,
        channel_code desc nulls last, bill_id desc nulls last, fee::int8 desc nulls last,
        partner_settled_on desc nulls last, collection_point_code desc nulls last
),
reversed as (
    select partner_code, reverses_transaction_id, sum(amount) as amount
    from transaction
    where kind = 'reversal'
    group by 1, 2
)
select
    transaction.partner_code, transaction.transaction_id, customer_code, bill_id, channel_code, paid_at,
    (transaction.amount - coalesce(reversed.amount, 0))::float8 as net
from transaction
left join reversed
    on transaction.partner_code = reversed.partner_code
    and transaction.transaction_id = reversed.reverses_transaction_id
where kind = 'payment' and transaction.amount > coalesce(reversed.amount, 0);

create view net_payment as
select
    partner_code, transaction_id, customer_code, bill_id, paid_at, net,
    coalesce(cashless, 0) as cashless,
    coalesce(strict, 0) as strict
from (
    select partner_code, transaction_id, customer_code, bill_id, channel_code, paid_at, amount::float8 as net
    from payment_row
    where not exists (
        select from special where key = hashtextextended(transaction_id, hashtextextended(partner_code, 0))
    )
    union all
    select partner_code, transaction_id, customer_code, bill_id, channel_code, paid_at, net from mended
) as payment
left join channel_weight using (channel_code);

create unlogged table paid as
select
    hashtextextended(bill_id, 0) as bill,
    sum(net) as net,
    sum(net * cashless) as cashless,
    sum(net * strict) as strict,
    max(paid_at) as last_paid_at
from net_payment
where bill_id is not null
group by 1;
