-- Grain: one row per collection point whose readiness is made anew: it is judged by another day than as published, its
-- customers may be in another state on that day, or the figures of a month that it is judged by are made anew.
{%- if is_full() %}
{{ nothing({'collection_point_code': 'text'}) }}
{%- else %}
with everywhere as (
    select
        exists (select 1 from ({{ touched_keys('collection_points', {'collection_point_code': 'text'}) }}) as point)
        or exists (select 1 from ({{ touched_keys('feedback', {'feedback_id': 'text'}) }}) as feedback) as is_touched
)

select point.collection_point_code
from {{ ref('counter') }} as point
cross join everywhere
where
    everywhere.is_touched
    or not exists (
        select 1 from {{ source('published', 'kpi_counter_closure') }} as published
        where
            published.collection_point_code = point.collection_point_code
            and published.as_of is not distinct from point.as_of
    )
    or point.as_of >= (select touched.touched_from from {{ ref('touched_day') }} as touched)
    or exists (
        select 1 from {{ ref('counter_bill_month') }} as judged
        where
            judged.collection_point_code = point.collection_point_code
            and judged.bill_month in (select rebuilt.bill_month from {{ ref('rebuilt_month') }} as rebuilt)
    )
union
-- A point that is no more.
select published.collection_point_code
from {{ source('published', 'kpi_counter_closure') }} as published
where published.collection_point_code not in (select point.collection_point_code from {{ ref('counter') }} as point)
{%- endif %}
