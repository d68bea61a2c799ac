-- Grain: one row per payment and bill it pays (customer_key: the bill's owner).
with allocation as (
    select
        bill_id,
        partner_code,
        transaction_id,
        owner_customer_key as customer_key,
        bill_month,
        channel_code,
        channel_class,
        paid_on,
        true as is_named,
        named_vnd as amount_vnd
    from {{ ref('payment_settlement') }}
    where named_vnd > 0
    union all
    select
        bill_id,
        partner_code,
        transaction_id,
        customer_key,
        bill_month,
        channel_code,
        channel_class,
        paid_on,
        false as is_named,
        amount_vnd
    from {{ ref('unnamed_allocation') }}
)

select *
from allocation
where {{ only_those_in('rebuilt_bill', ['bill_id'], 'allocation') }}
