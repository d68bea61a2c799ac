-- Grain: one row per billing month, geography, scope and commune with a bill.
select
    kpi.bill_month,
    kpi.geography,
    kpi.scope,
    kpi.code as commune_code,
    coalesce(commune.commune_name, kpi.code) as commune_name,
    case
        when kpi.geography = 'as_recorded' and kpi.bill_month < {{ districts_until() }}
            then coalesce(commune.district_code, kpi.code)
    end as district_code,
    case
        when kpi.geography = 'as_recorded' and kpi.bill_month < {{ districts_until() }}
            then coalesce(commune.district_name, kpi.code)
    end as district_name,
    unit.power_unit_code,
    {{ kpi_columns() }}
from {{ ref('kpi_unit_month') }} as kpi
inner join {{ ref('kpi_commune_power_unit') }} as unit
    on
        kpi.bill_month = unit.bill_month
        and kpi.geography = unit.geography
        and kpi.scope = unit.scope
        and kpi.code = unit.commune_code
left join {{ ref('dim_commune') }} as commune
    on
        kpi.code = commune.commune_code
        and commune.era
        = case when kpi.geography = 'current' then {{ current_era() }} else {{ era_of('kpi.bill_month') }} end
where kpi.level = 'commune'
