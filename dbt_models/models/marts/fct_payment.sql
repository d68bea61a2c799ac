-- Grain: one row per partner and transaction. Its six parts add up to what stands in reconciliation: a payment's
-- amount; nothing for the matched part of a reversal (it is its original's reversed part); a conflict's amount once.
with allocated as (
    select
        partner_code,
        transaction_id,
        sum(amount_vnd)::bigint as allocated_vnd
    from {{ ref('fct_allocation') }}
    group by 1, 2
),

known_customer as (
    select customer_key from {{ ref('stg_customer_version') }}
    union
    select customer_key from {{ ref('stg_bill') }}
),

parted as (
    select
        payment.*,
        net_payment.reversed_vnd,
        coalesce(allocated.allocated_vnd, 0) as allocated_vnd,
        net_payment.net_vnd - coalesce(allocated.allocated_vnd, 0) as leftover_vnd,
        reversal.orphan_vnd,
        case
            when payment.bill_id is not null then bill.bill_id is null
            else known_customer.customer_key is null
        end as is_suspense
    from {{ ref('stg_payment') }} as payment
    left join {{ ref('net_payment') }} as net_payment
        on
            payment.partner_code = net_payment.partner_code
            and payment.transaction_id = net_payment.transaction_id
    left join {{ ref('reversal') }} as reversal
        on
            payment.partner_code = reversal.partner_code
            and payment.transaction_id = reversal.transaction_id
    left join allocated
        on
            payment.partner_code = allocated.partner_code
            and payment.transaction_id = allocated.transaction_id
    left join {{ ref('stg_bill') }} as bill
        on payment.bill_id = bill.bill_id
    left join known_customer
        on payment.customer_key = known_customer.customer_key
)

select
    partner_code,
    transaction_id,
    kind,
    reverses_transaction_id,
    customer_key,
    bill_id,
    channel_code,
    channel_class,
    collection_point_code,
    paid_at,
    paid_on,
    is_conflict,
    amount_vnd,
    coalesce(fee_vnd, 0) as fee_vnd,
    allocated_vnd,
    case when is_suspense then 0 else coalesce(leftover_vnd, 0) end as unapplied_vnd,
    coalesce(reversed_vnd, 0) as reversed_vnd,
    case when is_suspense then coalesce(leftover_vnd, 0) else 0 end as suspense_vnd,
    case when is_conflict then amount_vnd else 0 end as conflict_vnd,
    coalesce(orphan_vnd, 0) as orphan_vnd
from parted
