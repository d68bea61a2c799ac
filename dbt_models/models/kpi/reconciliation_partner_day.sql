-- Grain: one row per partner and local day.
-- A matched reversal has no line of its own: it is its payment's reversed part.
with stands as (
    select
        *,
        kind = 'payment' or is_conflict or orphan_vnd > 0 as is_transaction
    from {{ of_rebuilt_partner_days(ref('candidate_fct_payment')) }} as payment
)

select
    partner_code,
    paid_on as paid_date,
    count(*) filter (where is_transaction) as transactions,
    -- From the amounts, not from the parts: that the parts add up to it is held by the gate.
    coalesce(
        sum(case when kind = 'payment' or is_conflict then amount_vnd else orphan_vnd end)
        filter (where is_transaction),
        0
    )::bigint as total_vnd,
    sum(allocated_vnd)::bigint as allocated_vnd,
    sum(unapplied_vnd)::bigint as unapplied_vnd,
    sum(reversed_vnd)::bigint as reversed_vnd,
    sum(suspense_vnd)::bigint as suspense_vnd,
    sum(conflict_vnd)::bigint as conflict_vnd,
    sum(orphan_vnd)::bigint as orphan_vnd,
    count(*) filter (where is_conflict) as conflicts,
    count(*) filter (where orphan_vnd > 0) as reversals_orphan,
    count(*) filter (where suspense_vnd > 0) as payments_in_suspense,
    count(*) filter (where channel_class = 'unknown' and kind = 'payment') as payments_of_unknown_channel,
    count(*) filter (where fee_vnd > 0) as transactions_with_fee
from stands
group by 1, 2
having bool_or(is_transaction)
