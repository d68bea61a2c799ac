-- Grain: one row per month, from the first billing month to the last, and commune with active customers at its end.
with verification as (
    select
        customer_key,
        date_trunc('month', verified_from)::date as first_month,
        coalesce(date_trunc('month', verified_to)::date, 'infinity'::date) as until_month
    from {{ ref('candidate_fct_phone_verification') }}
),

span as (
    select
        commune_code,
        first_month,
        until_month,
        count(*) as customers_active,
        0 as customers_verified
    from {{ ref('active_span') }}
    group by 1, 2, 3
    union all
    select
        active.commune_code,
        greatest(active.first_month, verification.first_month) as first_month,
        least(active.until_month, verification.until_month) as until_month,
        0 as customers_active,
        count(*) as customers_verified
    from {{ ref('active_span') }} as active
    inner join verification
        on
            active.customer_key = verification.customer_key
            and active.first_month < verification.until_month
            and active.until_month > verification.first_month
            and verification.first_month < verification.until_month
    group by 1, 2, 3
),

counted as (
    select
        covered.month,
        span.commune_code,
        sum(span.customers_active)::bigint as customers_active,
        sum(span.customers_verified)::bigint as customers_verified
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
    customers_verified,
    {{ rate('customers_verified', 'customers_active') }} as verified_rate
from counted
