-- Grain: one row per notice that new rows touch: its current row.
with current_version as (
    {{ current_rows('notifications', ['notification_id'], 'touched_notification', ['notification_id']) }}
)

select
    current_version.notification_id,
    current_version.campaign_id,
    customer_key.customer_key,
    current_version.commune_code as written_commune_code,
    {{ era_of('current_version.sent_at') }} as written_era,
    current_version.topic,
    current_version.medium,
    current_version.sent_at,
    current_version.delivery,
    current_version.delivered_at
from current_version
left join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
