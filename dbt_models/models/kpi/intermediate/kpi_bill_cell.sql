-- Grain: one row per billing month, bill type, place and the one channel by which all of a bill was collected (null: by
-- several, or nothing was). Bills add up over types and channels, so the facts are read once for all scopes.
-- There are fewer groups than the planner takes for possible: it is to hash them, not to sort the bills.
{{ config(pre_hook="set local hash_mem_multiplier = 8") }}
select
    bill_month,
    bill_type,
    commune_code,
    district_code,
    power_unit_code,
    current_commune_code,
    channel_code,
    count(*) as bills_issued,
    count(*) filter (where is_settled) as bills_settled,
    count(*) filter (where is_cashless) as bills_cashless,
    count(*) filter (where is_cashless_strict) as bills_cashless_strict,
    count(*) filter (where is_mixed) as bills_mixed,
    count(*) filter (where collected_vnd = 0) as bills_unpaid,
    count(*) filter (where collected_vnd > 0 and not is_settled) as bills_partly_paid,
    sum(total_vnd)::bigint as amount_issued_vnd,
    sum(collected_vnd)::bigint as amount_collected_vnd,
    sum(cashless_vnd)::bigint as amount_cashless_vnd,
    sum(cashless_strict_vnd)::bigint as amount_cashless_strict_vnd,
    sum(open_vnd)::bigint as amount_open_vnd,
    count(*) filter (where settled_on <= due_on) as bills_on_time
from {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
where is_in_scope
group by 1, 2, 3, 4, 5, 6, 7
