-- Grain: one row per bill that was collected by several channels. A table, few rows of many: so the planner knows.
select
    bill_id,
    customer_key,
    bill_type,
    bill_month,
    commune_code,
    district_code,
    power_unit_code
from {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
where payments > 1 and channel_code is null
