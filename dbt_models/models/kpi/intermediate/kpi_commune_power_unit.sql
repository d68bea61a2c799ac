-- Grain: one row per billing month, geography, scope and commune: the power unit that most of its billed customers
-- have (as recorded, in either geography); on a tie the smallest code.
with unit_customers as (
    {{ unit_levels(ref('kpi_cell'), ['bill_month', 'scope', 'power_unit_code', 'customers_billed']) }}
),

counted as (
    select
        geography,
        code as commune_code,
        bill_month,
        scope,
        power_unit_code,
        sum(customers_billed) as customers
    from unit_customers
    where level = 'commune'
    group by 1, 2, 3, 4, 5
)

select distinct on (geography, commune_code, bill_month, scope)
    geography,
    commune_code,
    bill_month,
    scope,
    power_unit_code
from counted
order by geography asc, commune_code asc, bill_month asc, scope asc, customers desc, power_unit_code collate "C" asc
