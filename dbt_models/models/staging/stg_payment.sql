-- Grain: one row per partner and transaction that this build has to read. Rows of one transaction that differ in kind,
-- customer or amount are a conflict: it stands with its greatest amount and latest time, and takes part in nothing.
with current_version as (
    {{ current_rows(
        'payments', ['partner_code', 'transaction_id'],
        'reached_payment', ['partner_code', 'transaction_id']
    ) }}
),

conflict as (
    select
        partner_code,
        transaction_id,
        max(amount) as amount,
        max(paid_at) as paid_at
    from {{ accepted_rows('payments', 'reached_payment', ['partner_code', 'transaction_id']) }} as accepted
    where
        (partner_code, transaction_id) in (
            {{ repeated_keys(
                'payments', ['partner_code', 'transaction_id'],
                'reached_payment', ['partner_code', 'transaction_id']
            ) }}
        )
    group by 1, 2
    having
        min(kind) <> max(kind)
        or min(customer_code) <> max(customer_code)
        or min(amount) <> max(amount)
)

select
    current_version.partner_code,
    current_version.transaction_id,
    current_version.kind,
    current_version.reverses_transaction_id,
    coalesce(current_version.channel_code, 'unknown') as channel_code,
    coalesce(channel.channel_class, 'unknown') as channel_class,
    customer_key.customer_key,
    current_version.bill_id,
    coalesce(conflict.amount, current_version.amount) as amount_vnd,
    current_version.fee as fee_vnd,
    coalesce(conflict.paid_at, current_version.paid_at) as paid_at,
    coalesce(conflict.paid_at, current_version.paid_at)::date as paid_on,
    current_version.collection_point_code,
    conflict.transaction_id is not null as is_conflict
from current_version
inner join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
left join conflict
    on
        current_version.partner_code = conflict.partner_code
        and current_version.transaction_id = conflict.transaction_id
left join {{ ref('dim_channel') }} as channel
    on current_version.channel_code = channel.channel_code
