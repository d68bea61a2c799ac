-- Grain: one row per payment channel, with its class.
select
    channel_code,
    channel_class,
    channel_name_vi,
    channel_name_en
from {{ ref('channels') }}
