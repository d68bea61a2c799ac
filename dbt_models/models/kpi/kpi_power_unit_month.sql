-- Grain: one row per billing month, scope and power unit with a bill.
select
    kpi.bill_month,
    kpi.geography,
    kpi.scope,
    kpi.code as power_unit_code,
    coalesce(unit.power_unit_name, kpi.code) as power_unit_name,
    {{ kpi_columns() }}
from {{ ref('kpi_unit_month') }} as kpi
left join {{ ref('dim_power_unit') }} as unit
    on kpi.code = unit.power_unit_code
where kpi.level = 'power_unit'
