-- Grain: one row per payment that names no bill and each bill of its customer that it pays.
-- A customer's open bills (oldest due_on, then bill_id) and unnamed payments (paid_at, partner_code, transaction_id)
-- are laid end to end as two rows of đồng; a payment pays a bill where the two overlap.
with paying as (
    select
        customer_key,
        partner_code,
        transaction_id,
        channel_code,
        channel_class,
        paid_on,
        net_vnd,
        sum(net_vnd) over (
            partition by customer_key order by paid_at, partner_code, transaction_id
            rows unbounded preceding
        ) as paid_to
    from {{ ref('payment_settlement') }}
    where bill_id is null and net_vnd > 0
),

-- What named payments took; of the paying customers' bills only, who are few.
named as (
    select
        bill_id,
        sum(named_vnd) as named_vnd
    from {{ ref('payment_settlement') }}
    where named_vnd > 0 and owner_customer_key in (select paying.customer_key from paying)
    group by 1
),

open_bill as (
    select
        bill.customer_key,
        bill.bill_id,
        bill.bill_month,
        bill.due_on,
        bill.total_vnd - coalesce(named.named_vnd, 0) as open_vnd
    from {{ ref('stg_bill') }} as bill
    left join named on bill.bill_id = named.bill_id
    where
        bill.is_in_scope
        and bill.total_vnd > coalesce(named.named_vnd, 0)
        and bill.customer_key in (select paying.customer_key from paying)
),

owed as (
    select
        customer_key,
        bill_id,
        bill_month,
        open_vnd,
        sum(open_vnd) over (
            partition by customer_key order by due_on, bill_id
            rows unbounded preceding
        ) as owed_to
    from open_bill
)

select
    owed.bill_id,
    owed.customer_key,
    owed.bill_month,
    paying.partner_code,
    paying.transaction_id,
    paying.channel_code,
    paying.channel_class,
    paying.paid_on,
    (
        least(owed.owed_to, paying.paid_to)
        - greatest(owed.owed_to - owed.open_vnd, paying.paid_to - paying.net_vnd)
    )::bigint as amount_vnd
from owed
inner join paying
    on
        owed.customer_key = paying.customer_key
        and owed.owed_to > paying.paid_to - paying.net_vnd
        and paying.paid_to > owed.owed_to - owed.open_vnd
