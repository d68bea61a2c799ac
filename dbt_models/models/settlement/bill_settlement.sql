-- Grain: one row per bill with an allocation: how much of it is paid, by which reading, by which channel, until when.
select
    bill_id,
    count(*) as payments,
    sum(amount_vnd)::bigint as collected_vnd,
    coalesce(sum(amount_vnd) filter (where {{ is_cashless('channel_class') }}), 0)::bigint as cashless_vnd,
    coalesce(sum(amount_vnd) filter (where {{ is_cashless_strict('channel_class') }}), 0)::bigint
        as cashless_strict_vnd,
    max(paid_on) as last_paid_on,
    case when min(channel_code) = max(channel_code) then min(channel_code) end as channel_code
from {{ ref('fct_allocation') }}
group by 1
