-- Grain: one row per month from the first billing month of the published figures to the last.
select days.month::date as month
from (
    select
        min(bill_month) as first_month,
        max(bill_month) as last_month
    from {{ ref('candidate_kpi_company_month') }}
) as bounds
cross join generate_series(
    bounds.first_month::timestamp, bounds.last_month::timestamp, interval '1 month'
) as days (month)
