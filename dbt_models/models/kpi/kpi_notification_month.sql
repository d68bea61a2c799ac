-- Grain: one row per month, from the first billing month to the last, and commune with active customers at its end.
with span as (
    select
        active.commune_code,
        active.first_month,
        active.until_month,
        date_trunc('month', notice.notified_on)::date as notified_month,
        count(*) as customers
    from {{ ref('active_span') }} as active
    left join {{ ref('customer_notice') }} as notice
        on active.customer_key = notice.customer_key
    group by 1, 2, 3, 4
),

counted as (
    select
        covered.month,
        span.commune_code,
        sum(span.customers)::bigint as customers_active,
        coalesce(sum(span.customers) filter (where span.notified_month <= covered.month), 0)::bigint
            as customers_notified
    from {{ ref('covered_month') }} as covered
    inner join span
        on covered.month >= span.first_month and covered.month < span.until_month
    where {{ only_those_in('rebuilt_coverage_month', ['month'], 'covered') }}
    group by 1, 2
)

select
    month,
    commune_code,
    customers_active,
    customers_notified,
    {{ rate('customers_notified', 'customers_active') }} as coverage
from counted
