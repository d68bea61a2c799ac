-- Grain: one row per customer and billing month with an in-scope bill. A customer has one place in a month, so
-- customers counted here can be summed over places.
-- A view: it is read once, and as many rows as there are bills would be written for that.
{{ config(materialized='view') }}
select
    bill_month,
    customer_key,
    min(commune_code) as commune_code,
    min(district_code) as district_code,
    min(power_unit_code) as power_unit_code,
    min(current_commune_code) as current_commune_code,
    bool_and(is_cashless) as is_cashless,
    bool_and(is_cashless_strict) as is_cashless_strict,
    -- Null where the customer has no electricity bill in the month.
    bool_and(is_cashless) filter (where bill_type = 'electricity') as is_electricity_cashless,
    bool_and(is_cashless_strict) filter (where bill_type = 'electricity') as is_electricity_cashless_strict,
    -- The same on all bills of the customer and month.
    bool_or(has_auto_debit) as has_auto_debit
from {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
where is_in_scope
group by 1, 2
