-- Grain: one row per campaign: its current row.
select
    campaign_id,
    name as campaign_name,
    kind,
    starts_on,
    ends_on
from {{ ref('stg_campaign') }}
