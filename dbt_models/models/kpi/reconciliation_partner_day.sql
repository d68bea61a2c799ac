-- Grain: one row per partner and local day.
-- A matched reversal has no line of its own: it is its payment's reversed part.
select
    partner_code,
    paid_on as paid_date,
    count(*) as transactions,
    -- From the amounts, not from the parts: that the parts add up to it is held by the gate.
    sum(case when kind = 'payment' or is_conflict then amount_vnd else orphan_vnd end)::bigint as total_vnd,
    sum(allocated_vnd)::bigint as allocated_vnd,
    sum(unapplied_vnd)::bigint as unapplied_vnd,
    sum(reversed_vnd)::bigint as reversed_vnd,
    sum(suspense_vnd)::bigint as suspense_vnd,
    sum(conflict_vnd)::bigint as conflict_vnd,
    sum(orphan_vnd)::bigint as orphan_vnd
from {{ ref('fct_payment') }}
where kind = 'payment' or is_conflict or orphan_vnd > 0
group by 1, 2
