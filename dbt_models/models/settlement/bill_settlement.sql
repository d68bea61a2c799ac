-- Grain: one row per bill with an allocation: how much of it is paid, by which reading, by which channel, until when.
-- Most bills have one allocation, and need no adding up: only the others are grouped.
with several as (
    {{ repeated_numbers(['bill_id'], ref('fct_allocation')) }}
),

numbered as not materialized (
    select
        allocation.*,
        several.key_number is not null as has_several
    from {{ ref('fct_allocation') }} as allocation
    left join several
        on {{ key_number(['allocation.bill_id']) }} = several.key_number
)

select
    bill_id,
    1::bigint as payments,
    amount_vnd as collected_vnd,
    case when {{ is_cashless('channel_class') }} then amount_vnd else 0 end as cashless_vnd,
    case when {{ is_cashless_strict('channel_class') }} then amount_vnd else 0 end as cashless_strict_vnd,
    paid_on as last_paid_on,
    channel_code
from numbered
where not has_several
union all
select
    bill_id,
    count(*) as payments,
    sum(amount_vnd)::bigint as collected_vnd,
    coalesce(sum(amount_vnd) filter (where {{ is_cashless('channel_class') }}), 0)::bigint as cashless_vnd,
    coalesce(sum(amount_vnd) filter (where {{ is_cashless_strict('channel_class') }}), 0)::bigint
        as cashless_strict_vnd,
    max(paid_on) as last_paid_on,
    case when min(channel_code) = max(channel_code) then min(channel_code) end as channel_code
from numbered
where has_several
group by 1
