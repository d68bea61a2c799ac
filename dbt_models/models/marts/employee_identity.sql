-- Grain: one row per employee: the name, as the latest version says. Personal: seen in bi_private only.
select distinct on (version.employee_code)
    version.employee_code,
    version.employee_name
from ({{ current_rows('employees', ['employee_code', 'effective_from']) }}) as version
order by version.employee_code asc, version.effective_from desc
