-- Grain: one row per month and commune with a request or complaint received in it; until the last billing month also
-- where only older ones are still open at its end.
with bounds as (
    select
        date_trunc('month', min(feedback.received_on)::timestamp) as first_month,
        max(feedback.received_on) as last_received_on,
        (select max(covered.month) from {{ ref('covered_month') }} as covered) as last_bill_month
    from {{ ref('fct_feedback') }} as feedback
),

months as (
    select
        days.month::date as month,
        {{ month_end('days.month') }} as month_end
    from bounds
    cross join generate_series(
        bounds.first_month, greatest(bounds.last_received_on, bounds.last_bill_month)::timestamp, interval '1 month'
    ) as days (month)
),

-- Each of them in the month it came, and in all later ones at whose end it is open.
month_feedback as (
    select
        months.month,
        feedback.commune_code,
        feedback.received_on,
        feedback.status,
        feedback.is_reopened,
        feedback.hours_to_close,
        date_trunc('month', feedback.received_on::timestamp) = months.month as is_received,
        feedback.closed_on is null or feedback.closed_on > months.month_end as is_open
    from {{ ref('fct_feedback') }} as feedback
    inner join months
        on
            feedback.received_on <= months.month_end
            and (
                date_trunc('month', feedback.received_on::timestamp) = months.month
                or feedback.closed_on is null
                or feedback.closed_on > months.month_end
            )
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
        month_feedback.is_received
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
    or (backlog > 0 and month <= (select bounds.last_bill_month from bounds))
