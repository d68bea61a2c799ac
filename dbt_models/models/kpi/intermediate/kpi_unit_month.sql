-- Grain: one row per billing month, geography, scope, level and code: every measure of the four published KPI tables.
with unit_cells as (
    {{ unit_levels(ref('kpi_cell'), ['bill_month', 'scope'] + kpi_measures()) }}
),

units as (
    select
        bill_month,
        geography,
        scope,
        level,
        code,
        {{ sums(kpi_measures()) }}
    from unit_cells
    group by 1, 2, 3, 4, 5
),

point_cells as (
    -- A power unit's counters stand in communes whose row it leads; a commune without a row belongs to none.
    select
        months.bill_month,
        months.scope,
        point.commune_code,
        point.district_code,
        commune.power_unit_code,
        point.current_commune_code
    from (
        select distinct
            bill_month,
            scope
        from {{ ref('kpi_cell') }}
    ) as months
    inner join {{ ref('kpi_collection_point_month') }} as point
        on months.bill_month = point.bill_month
    left join {{ ref('kpi_commune_power_unit') }} as commune
        on
            months.bill_month = commune.bill_month
            and months.scope = commune.scope
            and point.commune_code = commune.commune_code
            and commune.geography = 'as_recorded'
),

points as (
    select
        bill_month,
        geography,
        scope,
        level,
        code,
        count(*) as collection_points_open
    from (
        {{ unit_levels('point_cells', ['bill_month', 'scope']) }}
    ) as unit_points
    group by 1, 2, 3, 4, 5
)

select
    units.*,
    coalesce(points.collection_points_open, 0) as collection_points_open,
    median.median_days_to_pay,
    target.target
from units
left join points
    on
        units.bill_month = points.bill_month
        and units.geography = points.geography
        and units.scope = points.scope
        and units.level = points.level
        and units.code = points.code
left join {{ ref('kpi_median_days') }} as median
    on
        units.bill_month = median.bill_month
        and units.geography = median.geography
        and units.scope = median.scope
        and units.level = median.level
        and units.code = median.code
left join {{ ref('kpi_target') }} as target
    on
        units.bill_month = target.bill_month
        and units.level = target.level
        and units.code = target.code
        and units.scope = 'electricity'
        and units.geography = 'as_recorded'
