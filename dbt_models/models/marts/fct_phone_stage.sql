-- Grain: one row per customer whose number of today was reviewed: what the latest review of that very number found.
with review as (
    select distinct on (review.customer_key, review.phone)
        review.customer_key,
        review.phone,
        review.reviewed_on,
        review.result
    from {{ ref('stg_phone_review') }} as review
    where
        review.phone is not null
        and {{ only_those_in('rebuilt_verification', ['customer_key'], 'review') }}
    order by review.customer_key asc, review.phone asc, review.reviewed_at desc, review.review_id desc
)

select
    version.customer_key,
    review.reviewed_on,
    review.result
from {{ ref('stg_customer_version') }} as version
inner join review
    on version.customer_key = review.customer_key and version.phone = review.phone
where version.effective_to is null
