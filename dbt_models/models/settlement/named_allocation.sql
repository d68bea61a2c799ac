-- Grain: one row per payment that names a bill in scope and finds something open on it.
-- Payments of a bill count in order of (paid_at, partner_code, transaction_id).
with offered as (
    select
        bill.bill_id,
        bill.customer_key,
        bill.bill_month,
        payment.partner_code,
        payment.transaction_id,
        payment.channel_code,
        payment.channel_class,
        payment.paid_on,
        payment.net_vnd,
        bill.total_vnd - coalesce(
            sum(payment.net_vnd) over (
                partition by bill.bill_id
                order by payment.paid_at, payment.partner_code, payment.transaction_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as open_vnd
    from {{ ref('net_payment') }} as payment
    inner join {{ ref('stg_bill') }} as bill
        on payment.bill_id = bill.bill_id
    where payment.net_vnd > 0 and bill.is_in_scope
)

select
    bill_id,
    customer_key,
    bill_month,
    partner_code,
    transaction_id,
    channel_code,
    channel_class,
    paid_on,
    least(net_vnd, open_vnd)::bigint as amount_vnd
from offered
where open_vnd > 0
