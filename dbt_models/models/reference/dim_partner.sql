-- Grain: one row per partner of the operator's overlay. The project itself knows none, and need not: a partner that
-- only occurs in the data is shown by its code.
select
    partner_code,
    partner_name_vi,
    partner_name_en,
    kind
from {{ source('reference', 'overlay_partners') }}
