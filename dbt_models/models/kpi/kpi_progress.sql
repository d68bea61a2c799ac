-- Grain: one row per billing month, level, unit, scope and day since the first bill of the month and scope was issued,
-- company-wide; up to data through.
with event as (
    select
        bill_month,
        bill_type,
        power_unit_code,
        issued_on as happened_on,
        count(*) as bills_issued,
        0 as bills_settled,
        0 as bills_cashless,
        0 as bills_cashless_strict
    from {{ of_rebuilt_months(ref('candidate_fct_bill'), 'rebuilt_progress_month') }} as bill
    where is_in_scope
    group by 1, 2, 3, 4
    union all
    select
        bill_month,
        bill_type,
        power_unit_code,
        greatest(settled_on, issued_on) as happened_on,
        0 as bills_issued,
        count(*) as bills_settled,
        count(*) filter (where is_cashless) as bills_cashless,
        count(*) filter (where is_cashless_strict) as bills_cashless_strict
    from {{ of_rebuilt_months(ref('candidate_fct_bill'), 'rebuilt_progress_month') }} as bill
    where is_in_scope and is_settled
    group by 1, 2, 3, 4
),

scoped as (
    {{ by_scope('event', [
        'bill_month', 'power_unit_code', 'happened_on', 'bills_issued', 'bills_settled', 'bills_cashless',
        'bills_cashless_strict'
    ]) }}
),

started as (
    select
        bill_month,
        scope,
        min(happened_on) filter (where bills_issued > 0) as first_issued_on
    from scoped
    group by 1, 2
),

unit_event as (
    select
        bill_month,
        scope,
        'company' as level,
        'COMPANY' as code,
        happened_on,
        bills_issued,
        bills_settled,
        bills_cashless,
        bills_cashless_strict
    from scoped
    union all
    select
        bill_month,
        scope,
        'power_unit' as level,
        power_unit_code as code,
        happened_on,
        bills_issued,
        bills_settled,
        bills_cashless,
        bills_cashless_strict
    from scoped
),

unit_day as (
    select
        unit.bill_month,
        unit.scope,
        unit.level,
        unit.code,
        started.first_issued_on,
        days.days_after
    from (
        select distinct
            bill_month,
            scope,
            level,
            code
        from unit_event
    ) as unit
    inner join started
        on unit.bill_month = started.bill_month and unit.scope = started.scope
    inner join generate_series(0, {{ progress_days() }}) as days (days_after)
        on started.first_issued_on + days.days_after <= {{ data_through() }}
),

counted as (
    select
        bill_month,
        scope,
        level,
        code,
        happened_on,
        sum(bills_issued) as bills_issued,
        sum(bills_settled) as bills_settled,
        sum(bills_cashless) as bills_cashless,
        sum(bills_cashless_strict) as bills_cashless_strict
    from unit_event
    group by 1, 2, 3, 4, 5
)

select
    unit_day.bill_month,
    unit_day.level,
    unit_day.code,
    unit_day.scope,
    unit_day.days_after,
    (sum(coalesce(counted.bills_issued, 0)) over days)::bigint as bills_issued,
    (sum(coalesce(counted.bills_settled, 0)) over days)::bigint as bills_settled,
    (sum(coalesce(counted.bills_cashless, 0)) over days)::bigint as bills_cashless,
    (sum(coalesce(counted.bills_cashless_strict, 0)) over days)::bigint as bills_cashless_strict,
    unit_day.first_issued_on
from unit_day
left join counted
    on
        unit_day.bill_month = counted.bill_month
        and unit_day.scope = counted.scope
        and unit_day.level = counted.level
        and unit_day.code = counted.code
        and unit_day.first_issued_on + unit_day.days_after = counted.happened_on
window days as (
    partition by unit_day.bill_month, unit_day.scope, unit_day.level, unit_day.code
    order by unit_day.days_after
)
