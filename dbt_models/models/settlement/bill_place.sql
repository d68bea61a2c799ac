-- Grain: one row per customer and billing month with a bill: where the customer counts, in both geographies.
-- as_recorded: the customers version valid on the last day of the month, its commune mapped to the month's era.
-- current: the customer's latest version, mapped to today's map. A customer without any version is UNKNOWN.
with customer_month as (
    select distinct
        customer_key,
        bill_month,
        {{ month_end('bill_month') }} as month_end,
        {{ era_of('bill_month') }} as era
    from {{ ref('stg_bill') }}
),

placed as (
    select
        customer_month.customer_key,
        customer_month.bill_month,
        customer_month.era,
        version.customer_key is null as is_unknown,
        version.power_unit_code,
        recorded.commune_code as recorded_code,
        latest_reading.commune_code as current_code
    from customer_month
    left join {{ ref('stg_customer_version') }} as version
        on
            customer_month.customer_key = version.customer_key
            and customer_month.month_end >= version.place_from
            and customer_month.month_end < version.place_to
    left join {{ ref('commune_reading') }} as recorded
        on
            version.written_commune_code = recorded.written_code
            and version.written_era = recorded.written_era
            and customer_month.era = recorded.wanted_era
    left join {{ ref('stg_customer_version') }} as latest
        on
            customer_month.customer_key = latest.customer_key
            and latest.effective_to is null
    left join {{ ref('commune_reading') }} as latest_reading
        on
            latest.written_commune_code = latest_reading.written_code
            and latest.written_era = latest_reading.written_era
            and latest_reading.wanted_era = {{ current_era() }}
),

coded as (
    select
        customer_key,
        bill_month,
        era,
        case when is_unknown then 'UNKNOWN' else coalesce(recorded_code, 'UNRESOLVED') end as commune_code,
        case when is_unknown then 'UNKNOWN' else coalesce(current_code, 'UNRESOLVED') end as current_commune_code,
        case when is_unknown then 'UNKNOWN' else power_unit_code end as power_unit_code
    from placed
)

select
    coded.customer_key,
    coded.bill_month,
    coded.commune_code,
    case
        when coded.bill_month >= {{ districts_until() }} then null
        else coalesce(commune.district_code, coded.commune_code)
    end as district_code,
    coded.power_unit_code,
    coded.current_commune_code
from coded
left join {{ ref('dim_commune') }} as commune
    on coded.commune_code = commune.commune_code and coded.era = commune.era
