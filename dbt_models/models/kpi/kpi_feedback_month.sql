-- Grain: one row per month and commune with a request or complaint received in it; until the last billing month also
-- where only older ones are still open at its end.
with month_feedback as (
    -- Each of them in the month it came and in all later ones at whose end it is open.
    select
        months.month::date as month,
        feedback.*,
        feedback.closed_on is null or feedback.closed_on > {{ month_end('months.month') }} as is_open
    from {{ ref('fct_feedback') }} as feedback
    cross join lateral generate_series(
        date_trunc('month', feedback.received_on::timestamp),
        greatest(
            date_trunc('month', feedback.received_on::timestamp),
            (select max(received.received_on) from {{ ref('fct_feedback') }} as received),
            (select max(covered.month) from {{ ref('covered_month') }} as covered)
        ),
        interval '1 month'
    ) as months (month)
    where
        date_trunc('month', feedback.received_on::timestamp) = months.month
        or feedback.closed_on is null
        or feedback.closed_on > {{ month_end('months.month') }}
),

placed as (
    select
        month_feedback.month,
        -- On the map of the month, not of the day it came.
        case
            when month_feedback.commune_code = 'UNKNOWN' then 'UNKNOWN'
            else {{ place_code('reading') }}
        end as commune_code,
        month_feedback.is_open,
        month_feedback.status,
        month_feedback.is_reopened,
        month_feedback.hours_to_close,
        month_feedback.month = date_trunc('month', month_feedback.received_on)::date as is_received
    from month_feedback
    left join {{ ref('commune_reading') }} as reading
        on
            month_feedback.commune_code = reading.written_code
            and reading.written_era = {{ era_of('month_feedback.received_on') }}
            and reading.wanted_era = {{ era_of('month_feedback.month') }}
),

counted as (
    select
        month,
        commune_code,
        count(*) filter (where is_received) as received,
        count(*) filter (where is_received and status = 'closed') as closed,
        count(*) filter (where is_received and is_reopened) as reopened,
        percentile_cont(0.5) within group (order by hours_to_close::float8)
        filter (where is_received) as median_hours_to_close,
        count(*) filter (where is_open) as backlog
    from placed
    group by 1, 2
)

select
    month,
    commune_code,
    received,
    closed,
    reopened,
    median_hours_to_close,
    backlog
from counted
where
    received > 0
    or (backlog > 0 and month <= (select max(covered.month) from {{ ref('covered_month') }} as covered))
