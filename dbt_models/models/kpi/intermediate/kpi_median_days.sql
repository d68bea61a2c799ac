-- Grain: one row per billing month, scope, geography, level and code with a settled bill: the continuous median of
-- days to pay. Bills are first counted per number of days, so that the median of any unit is found in a small table;
-- there, places and units are numbers, which are quick to group.
with days as (
    select
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        days_to_pay,
        count(*) as bills,
        count(*) filter (where bill_type = 'electricity') as electricity_bills
    from {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
    where is_settled
    group by 1, 2, 3, 4, 5, 6
),

placed as (
    select
        *,
        dense_rank() over (
            order by bill_month, commune_code, district_code, power_unit_code, current_commune_code
        ) as place_number
    from days
),

place as (
    select distinct
        place_number,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code
    from placed
),

unit_place as (
    {{ unit_levels('place', ['bill_month', 'place_number']) }}
),

unit_of_place as (
    select
        *,
        dense_rank() over (order by geography, level, code, bill_month) as unit_number
    from unit_place
),

unit as (
    select distinct
        unit_number,
        geography,
        level,
        code,
        bill_month
    from unit_of_place
),

counted as (
    select
        unit_of_place.unit_number,
        placed.days_to_pay,
        sum(placed.bills) as all_bills,
        sum(placed.electricity_bills) as electricity_bills
    from placed
    inner join unit_of_place
        on placed.place_number = unit_of_place.place_number
    group by 1, 2
),

scoped as (
    select
        'all' as scope,
        unit_number,
        days_to_pay,
        all_bills as bills
    from counted
    union all
    select
        'electricity' as scope,
        unit_number,
        days_to_pay,
        electricity_bills as bills
    from counted
    where electricity_bills > 0
),

ranked as (
    select
        *,
        sum(bills) over (unit_days rows unbounded preceding) as rank_to,
        sum(bills) over (partition by scope, unit_number) as bills_settled
    from scoped
    window unit_days as (partition by scope, unit_number order by days_to_pay)
),

median as (
    select
        scope,
        unit_number,
        -- The middle bill of an odd number, the mean of the two middle ones of an even number.
        (
            min(days_to_pay) filter (where rank_to >= floor((bills_settled + 1) / 2))
            + min(days_to_pay) filter (where rank_to >= ceil((bills_settled + 1) / 2))
        )::numeric / 2 as median_days_to_pay
    from ranked
    group by 1, 2
)

select
    unit.geography,
    unit.level,
    unit.code,
    median.scope,
    unit.bill_month,
    median.median_days_to_pay
from median
inner join unit
    on median.unit_number = unit.unit_number
