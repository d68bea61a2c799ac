-- Second session: customers counted per place and month. A customer has one place in a month, so the packed key
-- (month, place, customer) is the customer's month; one bit_and over all its bills tells everything about it.
\set ON_ERROR_STOP on
set work_mem = '256MB';
set max_parallel_workers_per_gather = 0;

create unlogged table customer_cell as
select
    (key >> 32)::int as place,
    count(*) filter (where flags & 4 = 0) as electricity_billed,
    count(*) filter (where flags & 5 = 1) as electricity_cashless,
    count(*) filter (where flags & 6 = 2) as electricity_cashless_strict,
    count(*) filter (where flags & 36 = 32) as electricity_debit,
    count(*) as all_billed,
    count(*) filter (where flags & 8 = 8) as all_cashless,
    count(*) filter (where flags & 16 = 16) as all_cashless_strict,
    count(*) filter (where flags & 32 = 32) as all_debit
from (
    -- 1, 2: all electricity bills cashless, strictly; 4: no electricity bill; 8, 16: all bills cashless, strictly;
    -- 32: an active mandate.
    select key, bit_and(flags) as flags
    from (
        select
            key,
            case when collected = total and cashless = total then 9 else 0 end
            | case when collected = total and strict = total then 18 else 0 end
            | case when is_electricity then 0 else 7 end
            | case when has_debit then 32 else 0 end as flags
        from settled
        order by key offset 0 -- sorting 64-bit numbers is quicker than hashing them
    ) as bill
    group by key
) as customer_month
group by 1;
