-- Grain: one row per billing month, scope and place (as recorded: commune, district, power unit; current commune).
-- The smallest cell that every published unit is a sum of.
{%- set customer_counts = [
    'customers_billed', 'customers_cashless', 'customers_cashless_strict', 'customers_auto_debit'
] %}
{%- set bill_measures = kpi_measures() | reject('in', customer_counts) | list %}
with customer_cell as (
    -- Customers do not add up over bill types: one with both is one customer, hence a count for each scope.
    select
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        count(is_electricity_cashless) as electricity_billed,
        count(*) filter (where is_electricity_cashless) as electricity_cashless,
        count(*) filter (where is_electricity_cashless_strict) as electricity_cashless_strict,
        count(is_electricity_cashless) filter (where has_auto_debit) as electricity_auto_debit,
        count(*) as all_billed,
        count(*) filter (where is_cashless) as all_cashless,
        count(*) filter (where is_cashless_strict) as all_cashless_strict,
        count(*) filter (where has_auto_debit) as all_auto_debit
    from {{ ref('kpi_customer_month') }}
    group by 1, 2, 3, 4, 5
),

scoped_customer_cell as (
    select
        'electricity' as scope,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        electricity_billed as customers_billed,
        electricity_cashless as customers_cashless,
        electricity_cashless_strict as customers_cashless_strict,
        electricity_auto_debit as customers_auto_debit
    from customer_cell
    where electricity_billed > 0
    union all
    select
        'all' as scope,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        all_billed as customers_billed,
        all_cashless as customers_cashless,
        all_cashless_strict as customers_cashless_strict,
        all_auto_debit as customers_auto_debit
    from customer_cell
),

scoped_bill_cell as (
    {{ by_scope(
        ref('kpi_bill_cell'),
        ['bill_month', 'commune_code', 'district_code', 'power_unit_code', 'current_commune_code'] + bill_measures
    ) }}
),

parts as (
    select
        scope,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        {{- measures_or_zero(bill_measures) }}
    from scoped_bill_cell
    union all
    select
        scope,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        {{- measures_or_zero(customer_counts) }}
    from scoped_customer_cell
)

select
    bill_month,
    scope,
    commune_code,
    district_code,
    power_unit_code,
    current_commune_code,
    {{- sums(kpi_measures()) }}
from parts
group by 1, 2, 3, 4, 5, 6
