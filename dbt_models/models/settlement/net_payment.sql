-- Grain: one row per payment (kind payment, no conflict): its amount less what reverses it.
with reversed as (
    select
        partner_code,
        reverses_transaction_id,
        sum(matched_vnd)::bigint as reversed_vnd
    from {{ ref('reversal') }}
    where matched_vnd > 0
    group by 1, 2
)

select
    payment.partner_code,
    payment.transaction_id,
    payment.customer_key,
    payment.bill_id,
    payment.channel_code,
    payment.channel_class,
    payment.paid_at,
    payment.paid_on,
    payment.amount_vnd,
    coalesce(reversed.reversed_vnd, 0) as reversed_vnd,
    payment.amount_vnd - coalesce(reversed.reversed_vnd, 0) as net_vnd
from {{ ref('stg_payment') }} as payment
left join reversed
    on
        payment.partner_code = reversed.partner_code
        and payment.transaction_id = reversed.reverses_transaction_id
where payment.kind = 'payment' and not payment.is_conflict
