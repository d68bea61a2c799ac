-- Grain: one row: do the facts hold every bill and payment once, and every đồng of a payment in one place? Held on
-- what this build made anew; the rest was held when it was made. Shares and findings are of all that will be published.
with raw_bill as (
    {{ count_keys('bills', ['bill_id'], 'rebuilt_bill') }}
),

raw_payment as (
    {{ count_keys('payments', ['partner_code', 'transaction_id'], 'rebuilt_payment') }}
),

bill as (
    select
        count(*) as bills,
        count(*) filter (where collected_vnd > total_vnd and is_in_scope) as bills_overpaid,
        count(*) filter (where collected_vnd > 0 and not is_in_scope) as bills_paid_out_of_scope,
        count(*) filter (where is_in_scope and total_vnd <> collected_vnd + open_vnd) as bills_unbalanced,
        count(*) filter (where cashless_strict_vnd > cashless_vnd or cashless_vnd > collected_vnd) as bills_misread,
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
        coalesce(sum(allocated_vnd), 0) as allocated_vnd
    from {{ ref('fct_payment') }}
),

allocation as (
    select coalesce(sum(amount_vnd), 0) as allocated_vnd
    from {{ ref('fct_allocation') }}
),

-- Every đồng of a reversal is a payment's reversed part or orphan, and stands so in the fact.
reversal as (
    select
        (select coalesce(sum(amount_vnd), 0) from {{ ref('reversal') }})
        - (select coalesce(sum(orphan_vnd), 0) from {{ ref('reversal') }})
        - (select coalesce(sum(reversed_vnd), 0) from {{ ref('payment_settlement') }}) as unplaced_vnd
),

reversed as (
    select
        partner_code,
        reverses_transaction_id,
        sum(matched_vnd) as reversed_vnd
    from {{ ref('reversal') }}
    where matched_vnd > 0
    group by 1, 2
),

reversal_in_fact as (
    select
        coalesce(
            sum(abs(
                payment.reversed_vnd + payment.orphan_vnd - coalesce(reversed.reversed_vnd, reversal.orphan_vnd, 0)
            )),
            0
        ) as misplaced_vnd
    from {{ ref('fct_payment') }} as payment
    left join reversed
        on
            payment.partner_code = reversed.partner_code
            and payment.transaction_id = reversed.reverses_transaction_id
    left join {{ ref('reversal') }} as reversal
        on
            payment.partner_code = reversal.partner_code
            and payment.transaction_id = reversal.transaction_id
),

placed as (
    select
        sum(bills_issued) as bills,
        sum(bills_issued) filter (where commune_code = 'UNRESOLVED') as bills_unresolved,
        sum(bills_issued) filter (where commune_code = 'UNKNOWN') as bills_of_unknown_customers
    from {{ ref('candidate_kpi_commune_month') }}
    where scope = 'all' and geography = 'as_recorded'
),

finding as (
    select
        coalesce(sum(conflicts), 0)::bigint as payments_in_conflict,
        coalesce(sum(reversals_orphan), 0)::bigint as reversals_orphan,
        coalesce(sum(payments_in_suspense), 0)::bigint as payments_in_suspense,
        coalesce(sum(payments_of_unknown_channel), 0)::bigint as payments_of_unknown_channel,
        coalesce(sum(transactions_with_fee), 0)::bigint as payments_with_fee
    from {{ ref('candidate_reconciliation_partner_day') }}
),

late_coded as (
    select count(*) as customer_versions_late_coded
    from {{ ref('candidate_dim_customer') }}
    where is_late_coded
)

select
    abs(raw_bill.keys - bill.bills)::bigint as bills_missing,
    abs(raw_payment.keys - payment.payments)::bigint as payments_missing,
    bill.bills_overpaid,
    bill.bills_paid_out_of_scope,
    bill.bills_unbalanced,
    bill.bills_misread,
    payment.payments_unbalanced,
    (abs(reversal.unplaced_vnd) + reversal_in_fact.misplaced_vnd)::bigint as reversals_unplaced_vnd,
    (abs(payment.allocated_vnd - bill.collected_vnd) + abs(payment.allocated_vnd - allocation.allocated_vnd))::bigint
        as allocation_difference_vnd,
    coalesce(placed.bills_unresolved, 0)::numeric / nullif(placed.bills, 0) as share_bills_unresolved,
    coalesce(placed.bills_of_unknown_customers, 0)::numeric / nullif(placed.bills, 0)
        as share_bills_of_unknown_customers,
    finding.payments_in_conflict,
    finding.reversals_orphan,
    finding.payments_in_suspense,
    finding.payments_of_unknown_channel,
    finding.payments_with_fee,
    late_coded.customer_versions_late_coded,
    {{ equal_versions('customers', ['customer_code', 'effective_from'], 'reached_customer', ['customer_code']) }}
    + {{ equal_versions('bills', ['bill_id'], 'reached_bill', ['bill_id']) }}
    + {{ equal_versions('collection_points', ['collection_point_code']) }}
    + {{ equal_versions('targets', ['month', 'level', 'code', 'metric']) }} as equal_versions,
    {{ data_through() }} as data_through
from raw_bill
cross join raw_payment
cross join bill
cross join payment
cross join allocation
cross join reversal
cross join reversal_in_fact
cross join placed
cross join finding
cross join late_coded
