-- Grain: one row per customer and span of days in which one version of it holds in one era: where it counts then, as
-- recorded. All customers, also those that this build did not read. Before the first version the first one places the
-- customer, but it is not active.
{{ config(materialized='view') }}
with version as (
    select
        customer_key,
        era as written_era,
        commune_code as written_commune_code,
        power_unit_code,
        case when is_first then '-infinity'::date else effective_from end as place_from,
        coalesce(effective_to, 'infinity'::date) as place_to,
        case when status = 'active' then effective_from end as version_active_from
    from {{ ref('candidate_dim_customer') }}
),

span as (
    {{ spans_by_era('version', ['version_active_from']) }}
)

select
    customer_key,
    era,
    holds_from,
    holds_to,
    commune_code,
    power_unit_code,
    -- Null where the customer is not active on any day of the span.
    case when version_active_from < holds_to then greatest(version_active_from, holds_from) end as active_from
from span
