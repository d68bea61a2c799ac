-- Grain: one row per transaction whose published row gives way to that of this build: touched, paying a rebuilt bill,
-- or of a touched customer and without a bill.
{%- if is_full() %}
{{ nothing({'partner_code': 'text', 'transaction_id': 'text'}) }}
{%- else %}
select
    partner_code,
    transaction_id
from {{ ref('touched_payment') }}
union
select
    payment.partner_code,
    payment.transaction_id
from {{ ref('stg_payment') }} as payment
where
    payment.kind = 'payment'
    and (
        payment.bill_id in (select rebuilt.bill_id from {{ ref('rebuilt_bill') }} as rebuilt)
        or (
            payment.bill_id is null
            and payment.customer_key in (select touched.customer_key from {{ ref('touched_customer') }} as touched)
        )
    )
{%- endif %}
