-- Grain: one row per campaign: its current row.
with current_version as (
    {{ current_rows('campaigns', ['campaign_id']) }}
)

select
    campaign_id,
    name,
    kind,
    starts_on,
    ends_on
from current_version
