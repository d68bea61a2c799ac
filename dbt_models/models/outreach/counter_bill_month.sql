-- Grain: one row per collection point and billing month by which it is judged: the last that ended before its day, and
-- three before and after the month in which it closed.
select
    collection_point_code,
    (date_trunc('month', as_of) - interval '1 month')::date as bill_month,
    'rate' as judged_by
from {{ ref('counter') }}
where as_of is not null
union all
select
    counter.collection_point_code,
    (date_trunc('month', counter.closed_on) + distance.months * interval '1 month')::date as bill_month,
    case when distance.months < 0 then 'on_time_before' else 'on_time_after' end as judged_by
from {{ ref('counter') }} as counter
cross join (values (-3), (-2), (-1), (1), (2), (3)) as distance (months)
where counter.closed_on is not null
