-- Grain: one row per reversal that is not a conflict: how much of it reverses its original, and what is orphan.
-- Reversals of a payment count in order of (paid_at, transaction_id), up to the payment's amount.
with original as (
    -- Only what is reversed: few of the payments.
    select
        payment.partner_code,
        payment.transaction_id,
        payment.amount_vnd
    from {{ ref('stg_payment') }} as payment
    where
        payment.kind = 'payment'
        and not payment.is_conflict
        and (payment.partner_code, payment.transaction_id) in (
            select
                reversal.partner_code,
                reversal.reverses_transaction_id
            from {{ ref('stg_payment') }} as reversal
            where reversal.kind = 'reversal' and not reversal.is_conflict
        )
),

matched as (
    select
        reversal.partner_code,
        reversal.transaction_id,
        reversal.reverses_transaction_id,
        reversal.amount_vnd,
        original.amount_vnd as original_vnd,
        coalesce(
            sum(reversal.amount_vnd) over (
                partition by reversal.partner_code, reversal.reverses_transaction_id
                order by reversal.paid_at, reversal.transaction_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as reversed_before_vnd
    from {{ ref('stg_payment') }} as reversal
    left join original
        on
            reversal.partner_code = original.partner_code
            and reversal.reverses_transaction_id = original.transaction_id
    where reversal.kind = 'reversal' and not reversal.is_conflict
),

split as (
    select
        partner_code,
        transaction_id,
        reverses_transaction_id,
        amount_vnd,
        case
            when original_vnd is null then 0
            else greatest(least(amount_vnd, original_vnd - reversed_before_vnd), 0)::bigint
        end as matched_vnd
    from matched
)

select
    partner_code,
    transaction_id,
    reverses_transaction_id,
    amount_vnd,
    matched_vnd,
    amount_vnd - matched_vnd as orphan_vnd
from split
