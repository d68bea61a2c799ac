-- First session: bills counted and summed per place and month, and per days to pay.
\set ON_ERROR_STOP on
set work_mem = '256MB';
set max_parallel_workers_per_gather = 0;

create unlogged table bill_cell as
select
    (key >> 32)::int as place,
    is_electricity,
    count(*) as bills_issued,
    count(*) filter (where collected = total) as bills_settled,
    count(*) filter (where collected = total and cashless = total) as bills_cashless,
    count(*) filter (where collected = total and strict = total) as bills_cashless_strict,
    count(*) filter (where collected = total and cashless > 0 and cashless < total) as bills_mixed,
    count(*) filter (where collected = 0) as bills_unpaid,
    count(*) filter (where collected > 0 and collected < total) as bills_partly_paid,
    sum(total) as amount_issued,
    sum(collected) as amount_collected,
    sum(cashless) as amount_cashless,
    sum(strict) as amount_cashless_strict,
    count(*) filter (where collected = total and last_paid_on <= due_on) as bills_on_time
from settled
group by 1, 2;

create unlogged table days_cell as
select (key >> 32)::int as place, is_electricity, greatest(last_paid_on - issued_on, 0) as days, count(*)::int as bills
from settled
where collected = total
group by 1, 2, 3;
