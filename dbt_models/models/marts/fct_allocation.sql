-- Grain: one row per payment and bill it pays (customer_key: the bill's owner).
with allocation as (
    select
        *,
        true as is_named
    from {{ ref('named_allocation') }}
    union all
    select
        *,
        false as is_named
    from {{ ref('unnamed_allocation') }}
)

select
    allocation.bill_id,
    allocation.partner_code,
    allocation.transaction_id,
    allocation.customer_key,
    payment.channel_code,
    payment.channel_class,
    payment.paid_on,
    allocation.is_named,
    allocation.amount_vnd
from allocation
inner join {{ ref('net_payment') }} as payment
    on
        allocation.partner_code = payment.partner_code
        and allocation.transaction_id = payment.transaction_id
