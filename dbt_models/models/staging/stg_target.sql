-- Grain: one row per month, level, code and metric: the current target.
with current_version as (
    {{ current_rows('targets', ['month', 'level', 'code', 'metric']) }}
)

select
    month,
    level,
    code,
    metric,
    target,
    updated_at
from current_version
