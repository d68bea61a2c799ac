-- Grain: one row per billing month whose progress day by day is made anew: its bills are not as published, or data
-- through has moved within its days, or did not reach the end of them.
{%- if is_full() %}
{{ nothing({'bill_month': 'date'}) }}
{%- else %}
select bill_month from {{ ref('rebuilt_month') }}
union
select published.bill_month
from {{ source('published', 'kpi_progress') }} as published
group by published.bill_month, published.scope
having
    max(published.days_after) < {{ progress_days() }}
    or min(published.first_issued_on) + {{ progress_days() }} > coalesce({{ data_through() }}, '-infinity'::date)
union
-- Bills issued after data through have no day yet.
select company.bill_month
from {{ source('published', 'kpi_company_month') }} as company
where
    not exists (
        select 1 from {{ source('published', 'kpi_progress') }} as progress
        where progress.bill_month = company.bill_month and progress.scope = company.scope
    )
{%- endif %}
