-- Grain: one row per employee and version (SCD2). The name is in bi_private.
select
    employee_code,
    effective_from,
    effective_to,
    effective_to is null as is_latest,
    power_unit_code,
    status
from {{ ref('stg_employee_version') }}
