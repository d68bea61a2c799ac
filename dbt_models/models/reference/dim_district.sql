-- Grain: one row per district and era (districts were abolished on 2025-07-01).
select distinct
    district_code,
    era,
    district_name
from {{ ref('dim_commune') }}
where district_code is not null
