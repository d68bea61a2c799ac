-- Grain: one row per review of a phone number that this build has to read: its current row.
with current_version as (
    {{ current_rows('phone_reviews', ['review_id'], 'reached_phone_review', ['review_id']) }}
)

select
    current_version.review_id,
    customer_key.customer_key,
    current_version.phone,
    current_version.reviewed_at,
    current_version.reviewed_at::date as reviewed_on,
    current_version.result
from current_version
inner join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
