-- After both sessions: one row per bill in scope with what was collected on it. Nearly every bill is offered no more
-- than it asks; the rest (offered too much, or payments without a bill) is settled in order, and mended in place.
\set ON_ERROR_STOP on
set work_mem = '256MB';
set max_parallel_workers_per_gather = 1;
set min_parallel_table_scan_size = '1MB';
set enable_mergejoin = off;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0.01;

create unlogged table settled as
select
    bill_read.*,
    coalesce(net, 0) as collected,
    coalesce(cashless, 0) as cashless,
    coalesce(strict, 0) as strict,
    last_paid_at::date as last_paid_on
from bill_read left join paid on bill_read.bill = paid.bill;

-- Bills that are offered more than they ask.
create unlogged table excess as
select ctid as at, bill, total from settled where collected > total;

-- The payments of those bills, and those that name none.
create unlogged table careful as
select
    net_payment.*,
    excess.at,
    excess.total
from net_payment
left join excess on hashtextextended(bill_id, 0) = excess.bill
where bill_id is null or excess.bill is not null;

update settled
set collected = share.collected, cashless = share.cashless, strict = share.strict, last_paid_on = share.last_paid_on
from (
    select
        at,
        sum(amount) as collected,
        sum(amount * cashless) as cashless,
        sum(amount * strict) as strict,
        max(paid_at)::date as last_paid_on
    from (
        select
            at, cashless, strict, paid_at,
            least(net, total - coalesce(sum(net) over (
                partition by at order by paid_at, partner_code, transaction_id
                rows between unbounded preceding and 1 preceding
            ), 0)) as amount
        from careful
        where at is not null
    ) as allocation
    where amount > 0
    group by at
) as share
where settled.ctid = share.at;

-- A customer's open bills and unnamed payments, laid end to end: a payment pays a bill where they overlap.
create unlogged table share as
with paying as (
    select
        payer.customer, cashless, strict, paid_at, net,
        sum(net) over (
            partition by payer.customer order by paid_at, partner_code, transaction_id rows unbounded preceding
        ) as paid_to
    from careful
    inner join (
        select distinct
            careful.customer_code,
            coalesce(customer.number, 1::int8 << 30 | (hashtext(careful.customer_code) & 1073741823)) as customer
        from careful left join customer using (customer_code)
        where bill_id is null
    ) as payer using (customer_code)
    where bill_id is null
),
open_bill as materialized (
    select ctid as at, bill, key & 4294967295 as customer, due_on, total - collected as open
    from settled
    where total > collected and key & 4294967295 in (select customer from paying)
),
owed as (
    select
        at, customer, open,
        sum(open) over (partition by customer order by due_on, bill_id rows unbounded preceding) as owed_to
    from open_bill
    inner join (
        select distinct bill_id, hashtextextended(bill_id, 0) as bill
        from bill_row where hashtextextended(bill_id, 0) in (select bill from open_bill)
    ) as name using (bill)
)
select
    at,
    sum(amount) as collected,
    sum(amount * cashless) as cashless,
    sum(amount * strict) as strict,
    max(paid_at)::date as last_paid_on
from (
    select
        at, cashless, strict, paid_at,
        least(owed_to, paid_to) - greatest(owed_to - open, paid_to - net) as amount
    from owed inner join paying
        on owed.customer = paying.customer and owed_to > paid_to - net and paid_to > owed_to - open
) as allocation
group by at;

update settled
set
    collected = settled.collected + share.collected,
    cashless = settled.cashless + share.cashless,
    strict = settled.strict + share.strict,
    last_paid_on = greatest(settled.last_paid_on, share.last_paid_on)
from share
where settled.ctid = share.at;
