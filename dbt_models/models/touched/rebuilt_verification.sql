-- Grain: one row per customer whose number's reviews are looked at again: new rows of the customer or of a review.
{%- if is_full() %}
{{ nothing({'customer_code': 'text', 'customer_key': 'bigint'}) }}
{%- else %}
with touched as (
    {{ touched_keys('customers', {'customer_code': 'text'}) }}
    union
    {{ touched_keys('phone_reviews', {'customer_code': 'text'}) }}
    union
    -- A newer row may have given the review to another customer.
    select raw_row.customer_code
    from {{ source('raw', 'phone_reviews') }} as raw_row
    where raw_row.review_id in (select review.review_id from {{ ref('touched_phone_review') }} as review)
)

select
    touched.customer_code,
    customer_key.customer_key
from touched
inner join {{ source('private', 'customer_key') }} as customer_key
    on touched.customer_code = customer_key.customer_code
{%- endif %}
