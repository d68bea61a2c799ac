-- Grain: one row per review of a phone number. The number itself is not published.
select
    review_id,
    customer_key,
    reviewed_at,
    reviewed_on,
    result,
    phone is not null as has_phone
from {{ ref('stg_phone_review') }} as review
where {{ only_those_in('touched_phone_review', ['review_id'], 'review') }}
