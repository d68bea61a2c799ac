-- Grain: one row per customer and span of days on which its number of that time is verified: the latest review of that
-- very number until then says that it is the contract holder's.
with review as (
    select
        customer_key,
        phone,
        result,
        reviewed_on,
        coalesce(
            lead(reviewed_on) over (
                partition by customer_key, phone
                order by reviewed_at, review_id
            ),
            'infinity'::date
        ) as next_reviewed_on
    from {{ ref('stg_phone_review') }} as review
    where
        phone is not null
        and {{ only_those_in('rebuilt_verification', ['customer_key'], 'review') }}
),

span as (
    select
        version.customer_key,
        greatest(version.effective_from, review.reviewed_on) as verified_from,
        least(version.place_to, review.next_reviewed_on) as verified_to
    from {{ ref('stg_customer_version') }} as version
    inner join review
        on version.customer_key = review.customer_key and version.phone = review.phone
    where review.result = 'owner_confirmed'
)

select
    customer_key,
    verified_from,
    nullif(verified_to, 'infinity'::date) as verified_to
from span
where verified_from < verified_to
