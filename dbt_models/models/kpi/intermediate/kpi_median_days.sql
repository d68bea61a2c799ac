-- Grain: one row per billing month, scope, geography, level and code with a settled bill: the continuous median of
-- days to pay. Bills are first counted per number of days, so that the median of any unit is found in a small table.
with days_by_type as (
    select
        bill_type,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        days_to_pay,
        count(*) as bills
    from {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
    where is_settled
    group by 1, 2, 3, 4, 5, 6, 7
),

days as (
    {{ by_scope('days_by_type', [
        'bill_month', 'commune_code', 'district_code', 'power_unit_code', 'current_commune_code', 'days_to_pay', 'bills'
    ]) }}
),

unit_days as (
    {{ unit_levels('days', ['scope', 'bill_month', 'days_to_pay', 'bills']) }}
),

counted as (
    select
        geography,
        level,
        code,
        scope,
        bill_month,
        days_to_pay,
        sum(bills) as bills
    from unit_days
    group by 1, 2, 3, 4, 5, 6
),

ranked as (
    select
        *,
        sum(bills) over (unit rows unbounded preceding) as rank_to,
        sum(bills) over (partition by geography, level, code, scope, bill_month) as bills_settled
    from counted
    window unit as (partition by geography, level, code, scope, bill_month order by days_to_pay)
)

select
    geography,
    level,
    code,
    scope,
    bill_month,
    -- The middle bill of an odd number, the mean of the two middle ones of an even number.
    (
        min(days_to_pay) filter (where rank_to >= floor((bills_settled + 1) / 2))
        + min(days_to_pay) filter (where rank_to >= ceil((bills_settled + 1) / 2))
    )::numeric / 2 as median_days_to_pay
from ranked
group by 1, 2, 3, 4, 5
