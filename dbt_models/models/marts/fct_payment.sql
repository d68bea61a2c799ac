-- Grain: one row per partner and transaction. Its six parts add up to what stands in reconciliation: a payment's
-- amount; nothing for the matched part of a reversal (it is its original's reversed part); a conflict's amount once.
with unnamed as (
    select
        partner_code,
        transaction_id,
        sum(amount_vnd)::bigint as unnamed_vnd
    from {{ ref('unnamed_allocation') }}
    group by 1, 2
),

-- Who paid without naming a bill, and of whom there is neither a row nor a bill.
unknown_payer as (
    select distinct payment.customer_key
    from {{ ref('payment_settlement') }} as payment
    left join {{ ref('stg_customer_version') }} as version
        on payment.customer_key = version.customer_key
    left join {{ ref('stg_bill') }} as bill
        on payment.customer_key = bill.customer_key
    where
        payment.bill_id is null
        and payment.net_vnd > 0
        and version.customer_key is null
        and bill.customer_key is null
),

parted as (
    select
        payment.*,
        payment.named_vnd + coalesce(unnamed.unnamed_vnd, 0) as allocated_vnd,
        payment.net_vnd - payment.named_vnd - coalesce(unnamed.unnamed_vnd, 0) as leftover_vnd,
        -- Nobody can place what is left: it names a bill nobody knows, or none and its customer is unknown too. Not by
        -- a join: the planner takes the unknown for one, and would walk through all of them for every payment.
        case
            when payment.bill_id is null
                then payment.customer_key in (select unknown_payer.customer_key from unknown_payer)
            else not payment.is_bill_known
        end as is_unplaced
    from {{ ref('payment_settlement') }} as payment
    left join unnamed
        on
            payment.partner_code = unnamed.partner_code
            and payment.transaction_id = unnamed.transaction_id
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
    case when is_unplaced then 0 else leftover_vnd end as unapplied_vnd,
    reversed_vnd,
    case when is_unplaced then leftover_vnd else 0 end as suspense_vnd,
    case when is_conflict then amount_vnd else 0 end as conflict_vnd,
    orphan_vnd
from parted
where {{ only_those_in('rebuilt_payment', ['partner_code', 'transaction_id'], 'parted') }}
