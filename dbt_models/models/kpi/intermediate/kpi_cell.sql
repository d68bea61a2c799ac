-- Grain: one row per billing month, scope and place (as recorded: commune, district, power unit; current commune).
-- The smallest cell that every published unit is a sum of.
{%- set customer_counts = [
    'customers_billed', 'customers_cashless', 'customers_cashless_strict', 'customers_auto_debit'
] %}

select
    bill_month,
    scope,
    commune_code,
    district_code,
    power_unit_code,
    current_commune_code,
    count(*) as customers_billed,
    count(*) filter (where is_cashless) as customers_cashless,
    count(*) filter (where is_cashless_strict) as customers_cashless_strict,
    count(*) filter (where has_auto_debit) as customers_auto_debit,
    {{ sums(kpi_measures() | reject('in', customer_counts)) }}
from {{ ref('kpi_customer_month') }}
group by 1, 2, 3, 4, 5, 6
