-- Grain: one row per employee and effective_from: what held from that day on.
with current_version as (
    {{ current_rows('employees', ['employee_code', 'effective_from']) }}
)

select
    employee_code,
    effective_from,
    lead(effective_from) over (partition by employee_code order by effective_from) as effective_to,
    power_unit_code,
    status
from current_version
