-- Grain: one row: do the facts hold every bill and payment once, and every đồng of a payment in one place?
with raw_bill as (
    select count(*) as bills
    from (select distinct bill_id from {{ source('raw', 'bills') }}) as distinct_bill
),

raw_payment as (
    select count(*) as payments
    from (
        select distinct
            partner_code,
            transaction_id
        from {{ source('raw', 'payments') }}
    ) as transactions
),

bill as (
    select
        count(*) as bills,
        count(*) filter (where collected_vnd > total_vnd and is_in_scope) as bills_overpaid,
        count(*) filter (where collected_vnd > 0 and not is_in_scope) as bills_paid_out_of_scope,
        count(*) filter (where is_in_scope and total_vnd <> collected_vnd + open_vnd) as bills_unbalanced,
        count(*) filter (where cashless_strict_vnd > cashless_vnd or cashless_vnd > collected_vnd) as bills_misread,
        count(*) filter (where is_in_scope) as bills_in_scope,
        count(*) filter (where is_in_scope and commune_code = 'UNRESOLVED') as bills_unresolved,
        count(*) filter (where is_in_scope and commune_code = 'UNKNOWN') as bills_of_unknown_customers,
        coalesce(sum(collected_vnd), 0) as collected_vnd
    from {{ ref('fct_bill') }}
),

payment as (
    select
        count(*) as payments,
        count(*) filter (
            where
            least(allocated_vnd, unapplied_vnd, reversed_vnd, suspense_vnd, conflict_vnd, orphan_vnd) < 0
            or (
                (kind = 'payment' or is_conflict)
                and amount_vnd
                <> allocated_vnd + unapplied_vnd + reversed_vnd + suspense_vnd + conflict_vnd + orphan_vnd
            )
        ) as payments_unbalanced,
        coalesce(sum(amount_vnd) filter (where kind = 'reversal' and not is_conflict), 0) as reversals_vnd,
        coalesce(sum(reversed_vnd), 0)
        + coalesce(sum(orphan_vnd) filter (where kind = 'reversal'), 0) as reversals_placed_vnd,
        coalesce(sum(allocated_vnd), 0) as allocated_vnd,
        count(*) filter (where is_conflict) as payments_in_conflict,
        count(*) filter (where orphan_vnd > 0) as reversals_orphan,
        count(*) filter (where suspense_vnd > 0) as payments_in_suspense,
        count(*) filter (where channel_class = 'unknown' and kind = 'payment') as payments_of_unknown_channel,
        count(*) filter (where fee_vnd > 0) as payments_with_fee
    from {{ ref('fct_payment') }}
),

allocation as (
    select coalesce(sum(amount_vnd), 0) as allocated_vnd
    from {{ ref('fct_allocation') }}
),

late_coded as (
    select count(*) as customer_versions_late_coded
    from {{ ref('stg_customer_version') }} as version
    left join {{ ref('dim_commune') }} as commune
        on version.written_commune_code = commune.commune_code and version.written_era = commune.era
    where commune.commune_code is null
)

select
    abs(raw_bill.bills - bill.bills)::bigint as bills_missing,
    abs(raw_payment.payments - payment.payments)::bigint as payments_missing,
    bill.bills_overpaid,
    bill.bills_paid_out_of_scope,
    bill.bills_unbalanced,
    bill.bills_misread,
    payment.payments_unbalanced,
    abs(payment.reversals_vnd - payment.reversals_placed_vnd)::bigint as reversals_unplaced_vnd,
    (abs(payment.allocated_vnd - bill.collected_vnd) + abs(payment.allocated_vnd - allocation.allocated_vnd))::bigint
        as allocation_difference_vnd,
    bill.bills_unresolved::numeric / nullif(bill.bills_in_scope, 0) as share_bills_unresolved,
    bill.bills_of_unknown_customers::numeric / nullif(bill.bills_in_scope, 0) as share_bills_of_unknown_customers,
    payment.payments_in_conflict,
    payment.reversals_orphan,
    payment.payments_in_suspense,
    payment.payments_of_unknown_channel,
    payment.payments_with_fee,
    late_coded.customer_versions_late_coded,
    {{ equal_versions('customers', ['customer_code', 'effective_from']) }}
    + {{ equal_versions('bills', ['bill_id']) }}
    + {{ equal_versions('collection_points', ['collection_point_code']) }}
    + {{ equal_versions('targets', ['month', 'level', 'code', 'metric']) }} as equal_versions,
    (
        select max(paid_at)::date
        from {{ source('raw', 'payments') }}
        where kind = 'payment' and not is_duplicate
    ) as data_through
from raw_bill
cross join raw_payment
cross join bill
cross join payment
cross join allocation
cross join late_coded
