-- Grain: one row per month whose coverage by notices and verified numbers is made anew: those from the first touched
-- day on, and those that have come to lie between the first and the last billing month, or no longer do.
{%- if is_full() %}
{{ nothing({'month': 'date'}) }}
{%- else %}
with published_month as (
    select month from {{ source('published', 'kpi_notification_month') }}
    union
    select month from {{ source('published', 'kpi_phone_month') }}
)

select coalesce(published_month.month, covered.month) as month
from published_month
full join {{ ref('covered_month') }} as covered
    on published_month.month = covered.month
where
    published_month.month is null
    or covered.month is null
    or {{ month_end('covered.month') }} >= (select touched.touched_from from {{ ref('touched_day') }} as touched)
{%- endif %}
