-- Grain: one row per request or complaint: its current row.
with current_version as (
    {{ current_rows('feedback', ['feedback_id']) }}
)

select
    current_version.feedback_id,
    customer_key.customer_key,
    current_version.commune_code as written_commune_code,
    {{ era_of('current_version.received_at') }} as written_era,
    current_version.received_at,
    current_version.received_at::date as received_on,
    current_version.topic,
    current_version.status,
    current_version.closed_at,
    current_version.closed_at::date as closed_on,
    current_version.reopened as is_reopened
from current_version
left join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
