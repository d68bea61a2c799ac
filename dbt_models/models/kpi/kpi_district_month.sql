-- Grain: one row per billing month (to 2025-06), scope and district with a bill.
select
    kpi.bill_month,
    kpi.geography,
    kpi.scope,
    kpi.code as district_code,
    coalesce(district.district_name, kpi.code) as district_name,
    {{ kpi_columns() }}
from {{ ref('kpi_unit_month') }} as kpi
left join {{ ref('dim_district') }} as district
    on kpi.code = district.district_code and district.era = {{ era_of('kpi.bill_month') }}
where kpi.level = 'district'
