-- Grain: one row per bill whose published rows give way to those of this build: touched, or of a touched customer.
-- A bill that was read only to see what else its payments pay is not among them.
{%- if is_full() %}
{{ nothing({'bill_id': 'text'}) }}
{%- else %}
select bill_id from {{ ref('touched_bill') }}
union
select bill.bill_id
from {{ ref('stg_bill') }} as bill
where bill.customer_key in (select touched.customer_key from {{ ref('touched_customer') }} as touched)
{%- endif %}
