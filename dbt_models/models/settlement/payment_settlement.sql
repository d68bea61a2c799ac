-- Grain: one row per transaction that this build has to read: what it is worth once its reversals are taken off
-- (nothing, unless it is a payment and no conflict), and what the bill that it names takes of that.
-- Payments of a bill count in order of (paid_at, partner_code, transaction_id).
with reversed as (
    select
        partner_code,
        reverses_transaction_id,
        sum(matched_vnd)::bigint as reversed_vnd
    from {{ ref('reversal') }}
    where matched_vnd > 0
    group by 1, 2
),

net as not materialized (
    select
        payment.*,
        coalesce(reversed.reversed_vnd, 0) as reversed_vnd,
        coalesce(reversal.orphan_vnd, 0) as orphan_vnd,
        case
            when payment.kind = 'payment' and not payment.is_conflict
                then payment.amount_vnd - coalesce(reversed.reversed_vnd, 0)
            else 0
        end as net_vnd
    from {{ ref('stg_payment') }} as payment
    left join reversed
        on
            payment.partner_code = reversed.partner_code
            and payment.transaction_id = reversed.reverses_transaction_id
    left join {{ ref('reversal') }} as reversal
        on
            payment.partner_code = reversal.partner_code
            and payment.transaction_id = reversal.transaction_id
),

-- The bills that several payments name: only there one payment has to wait for others.
contested as (
    {{ repeated_numbers(
        ['bill_id'], ref('stg_payment'), "bill_id is not null and kind = 'payment' and not is_conflict"
    ) }}
),

waiting as (
    select
        partner_code,
        transaction_id,
        sum(net_vnd) over (
            partition by bill_id
            order by paid_at, partner_code, transaction_id
            rows between unbounded preceding and 1 preceding
        ) as before_vnd
    from net
    where net_vnd > 0 and {{ key_number(['bill_id']) }} in (select contested.key_number from contested)
)

select
    net.partner_code,
    net.transaction_id,
    net.kind,
    net.reverses_transaction_id,
    net.channel_code,
    net.channel_class,
    net.customer_key,
    net.bill_id,
    net.amount_vnd,
    net.fee_vnd,
    net.paid_at,
    net.paid_on,
    net.collection_point_code,
    net.is_conflict,
    net.reversed_vnd,
    net.orphan_vnd,
    net.net_vnd,
    bill.bill_id is not null as is_bill_known,
    bill.customer_key as owner_customer_key,
    bill.bill_month,
    case
        when bill.is_in_scope
            then greatest(least(net.net_vnd, bill.total_vnd - coalesce(waiting.before_vnd, 0)), 0)::bigint
        else 0
    end as named_vnd
from net
left join {{ ref('stg_bill') }} as bill
    on net.bill_id = bill.bill_id
left join waiting
    on
        net.partner_code = waiting.partner_code
        and net.transaction_id = waiting.transaction_id
