-- Grain: one row per review of a phone number that has to be read: the touched ones, and all of a customer whose
-- reviews are looked at again.
{%- if is_full() %}
{{ nothing({'review_id': 'text'}) }}
{%- else %}
select review_id from {{ ref('touched_phone_review') }}
union
select raw_row.review_id
from {{ source('raw', 'phone_reviews') }} as raw_row
where raw_row.customer_code in (select rebuilt.customer_code from {{ ref('rebuilt_verification') }} as rebuilt)
{%- endif %}
