-- Grain: one row per billing month, geography and scope; the company is the same in both geographies.
select
    kpi.bill_month,
    kpi.geography,
    kpi.scope,
    {{ kpi_columns() }}
from {{ ref('kpi_unit_month') }} as kpi
where kpi.level = 'company'
