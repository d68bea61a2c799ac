-- Grain: one row per billing month and power-unit counter that is open on the month's last day: where it stood.
with months as (
    select distinct
        bill_month,
        {{ month_end('bill_month') }} as month_end,
        {{ era_of('bill_month') }} as era
    from {{ ref('kpi_cell') }}
),

placed as (
    select
        months.bill_month,
        months.era,
        point.collection_point_code,
        {{ place_code('recorded') }} as commune_code,
        {{ place_code('today') }} as current_commune_code
    from months
    inner join {{ ref('stg_collection_point') }} as point
        on
            point.operator = 'power_unit'
            and months.month_end >= point.opened_on
            and (point.closed_on is null or months.month_end < point.closed_on)
    inner join {{ ref('stg_collection_point_version') }} as version
        on
            point.collection_point_code = version.collection_point_code
            and months.month_end >= version.holds_from
            and months.month_end < version.holds_to
    left join {{ ref('commune_reading') }} as recorded
        on
            version.written_commune_code = recorded.written_code
            and version.written_era = recorded.written_era
            and months.era = recorded.wanted_era
    left join {{ ref('commune_reading') }} as today
        on
            version.written_commune_code = today.written_code
            and version.written_era = today.written_era
            and today.wanted_era = {{ current_era() }}
)

select
    placed.bill_month,
    placed.collection_point_code,
    placed.commune_code,
    case
        when placed.bill_month >= {{ districts_until() }} then null
        else coalesce(commune.district_code, placed.commune_code)
    end as district_code,
    placed.current_commune_code
from placed
left join {{ ref('dim_commune') }} as commune
    on placed.commune_code = commune.commune_code and placed.era = commune.era
