-- Grain: one row per customer and span of billing months in which it counts in one place: the months on whose last day
-- one version of the customer holds, of one era. as_recorded: that version's commune, mapped to the era. current: the
-- customer's latest version, mapped to today's map. A customer without any version has no row: it is UNKNOWN.
with version as (
    select * from {{ ref('stg_customer_version') }}
),

day_span as (
    {{ spans_by_era('version') }}
),

-- A version holds on the last day of a month if it begins in it or earlier and ends later.
span as (
    select
        customer_key,
        era,
        commune_code,
        power_unit_code,
        date_trunc('month', holds_from::timestamp)::date as first_month,
        date_trunc('month', holds_to::timestamp)::date as until_month
    from day_span
),

latest as (
    select
        version.customer_key,
        {{ place_code('reading') }} as commune_code
    from version
    left join {{ ref('commune_reading') }} as reading
        on
            version.written_commune_code = reading.written_code
            and version.written_era = reading.written_era
            and reading.wanted_era = {{ current_era() }}
    where version.effective_to is null
),

coded as (
    select
        span.*,
        latest.commune_code as current_commune_code
    from span
    left join latest
        on span.customer_key = latest.customer_key
    where span.first_month < span.until_month
)

select
    coded.customer_key,
    coded.era,
    coded.first_month,
    coded.until_month,
    coded.commune_code,
    case
        when coded.first_month >= {{ districts_until() }} then null
        else coalesce(commune.district_code, coded.commune_code)
    end as district_code,
    coded.power_unit_code,
    coded.current_commune_code
from coded
left join {{ ref('dim_commune') }} as commune
    on coded.commune_code = commune.commune_code and coded.era = commune.era
