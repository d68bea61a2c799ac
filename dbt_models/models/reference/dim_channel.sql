-- Grain: one row per payment channel, with its class.
{{ with_overlay(
    ref('channels'),
    'channels',
    ['channel_code', 'channel_class', 'channel_name_vi', 'channel_name_en'],
    key=['channel_code']
) }}
