-- Grain: one row per partner and transaction. Its six parts add up to what stands in reconciliation: a payment's
-- amount; nothing for the matched part of a reversal (it is its original's reversed part); a conflict's amount once.
with allocated as (
    -- A payment that names a bill has one allocation; only the others have several.
    select
        partner_code,
        transaction_id,
        amount_vnd as allocated_vnd
    from {{ ref('named_allocation') }}
    union all
    select
        partner_code,
        transaction_id,
        sum(amount_vnd)::bigint as allocated_vnd
    from {{ ref('unnamed_allocation') }}
    group by 1, 2
),

reversed as (
    select
        partner_code,
        transaction_id,
        reversed_vnd
    from {{ ref('net_payment') }}
    where reversed_vnd > 0
),

parted as (
    select
        payment.*,
        coalesce(reversed.reversed_vnd, 0) as reversed_vnd,
        coalesce(allocated.allocated_vnd, 0) as allocated_vnd,
        case
            when payment.kind = 'payment' and not payment.is_conflict
                then payment.amount_vnd - coalesce(reversed.reversed_vnd, 0) - coalesce(allocated.allocated_vnd, 0)
            else 0
        end as leftover_vnd,
        coalesce(reversal.orphan_vnd, 0) as orphan_vnd
    from {{ ref('stg_payment') }} as payment
    left join reversed
        on
            payment.partner_code = reversed.partner_code
            and payment.transaction_id = reversed.transaction_id
    left join {{ ref('reversal') }} as reversal
        on
            payment.partner_code = reversal.partner_code
            and payment.transaction_id = reversal.transaction_id
    left join allocated
        on
            payment.partner_code = allocated.partner_code
            and payment.transaction_id = allocated.transaction_id
),

leftover as (
    select
        partner_code,
        transaction_id,
        customer_key,
        bill_id
    from parted
    where leftover_vnd > 0
),

known_customer as (
    select customer_key from {{ ref('stg_customer_version') }}
    union
    select customer_key from {{ ref('stg_bill') }}
),

-- Leftovers that nobody can place: they name a bill nobody knows, or none and their customer is unknown too.
suspense as (
    select
        leftover.partner_code,
        leftover.transaction_id
    from leftover
    left join {{ ref('stg_bill') }} as bill
        on leftover.bill_id = bill.bill_id
    where leftover.bill_id is not null and bill.bill_id is null
    union all
    select
        leftover.partner_code,
        leftover.transaction_id
    from leftover
    left join known_customer
        on leftover.customer_key = known_customer.customer_key
    where leftover.bill_id is null and known_customer.customer_key is null
)

select
    parted.partner_code,
    parted.transaction_id,
    parted.kind,
    parted.reverses_transaction_id,
    parted.customer_key,
    parted.bill_id,
    parted.channel_code,
    parted.channel_class,
    parted.collection_point_code,
    parted.paid_at,
    parted.paid_on,
    parted.is_conflict,
    parted.amount_vnd,
    coalesce(parted.fee_vnd, 0) as fee_vnd,
    parted.allocated_vnd,
    case when suspense.transaction_id is null then parted.leftover_vnd else 0 end as unapplied_vnd,
    parted.reversed_vnd,
    case when suspense.transaction_id is null then 0 else parted.leftover_vnd end as suspense_vnd,
    case when parted.is_conflict then parted.amount_vnd else 0 end as conflict_vnd,
    parted.orphan_vnd
from parted
left join suspense
    on
        parted.partner_code = suspense.partner_code
        and parted.transaction_id = suspense.transaction_id
where {{ only_those_in('rebuilt_payment', ['partner_code', 'transaction_id'], 'parted') }}
