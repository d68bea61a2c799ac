-- Grain: one row per billing month whose figures are made anew: a bill or an allocation of the month is not as
-- published, a target of the month is touched, or a collection point is (it may have stood open in any month).
{%- if is_full() %}
{{ nothing({'bill_month': 'date'}) }}
{%- else %}
with published_bill as (
    select published.*
    from {{ source('published', 'fct_bill') }} as published
    where published.bill_id in (select rebuilt.bill_id from {{ ref('rebuilt_bill') }} as rebuilt)
),

published_allocation as (
    select published.*
    from {{ source('published', 'fct_allocation') }} as published
    where published.bill_id in (select rebuilt.bill_id from {{ ref('rebuilt_bill') }} as rebuilt)
)

select changed.bill_month
from (
    {{ in_one_only('published_bill', ref('fct_bill'), ['bill_id', 'customer_key'], ['bill_month']) }}
) as changed
union
select changed.bill_month
from (
    {{ in_one_only(
        'published_allocation', ref('fct_allocation'), ['bill_id', 'customer_key', 'partner_code', 'transaction_id'],
        ['bill_month']
    ) }}
) as changed
union
select target.month as bill_month
from ({{ touched_keys('targets', {'month': 'date'}) }}) as target
union
select published.bill_month
from {{ source('published', 'kpi_company_month') }} as published
where
    exists (
        select 1 from ({{ touched_keys('collection_points', {'collection_point_code': 'text'}) }}) as point
    )
{%- endif %}
