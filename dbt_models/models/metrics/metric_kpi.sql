-- Grain: one row: the invariants of the published figures (docs/figures.md). Every column but the last counts or sums
-- what must be zero.
with unit as (
    select *
    from {{ ref('kpi_unit_month') }}
),

-- Measures by level, so that each level can be held against the company.
level_sum as (
    select
        bill_month,
        geography,
        scope,
        level,
        sum(customers_billed + customers_cashless + customers_cashless_strict + customers_auto_debit) as customers,
        sum(
            bills_issued + bills_settled + bills_cashless + bills_cashless_strict + bills_mixed + bills_unpaid
            + bills_partly_paid + bills_on_time
        ) as bills,
        sum(amount_issued_vnd) as issued_vnd,
        sum(amount_collected_vnd + amount_cashless_vnd + amount_cashless_strict_vnd) as collected_vnd,
        sum(amount_open_vnd) as open_vnd
    from unit
    group by 1, 2, 3, 4
),

against_company as (
    select
        coalesce(sum(abs(level_sum.customers - company.customers)), 0) as customers_difference,
        coalesce(sum(abs(level_sum.bills - company.bills)), 0) as bills_difference,
        coalesce(sum(
            abs(level_sum.issued_vnd - company.issued_vnd)
            + abs(level_sum.collected_vnd - company.collected_vnd)
            + abs(level_sum.open_vnd - company.open_vnd)
        ), 0) as amount_difference_vnd
    from level_sum
    inner join level_sum as company
        on
            level_sum.bill_month = company.bill_month
            and level_sum.geography = company.geography
            and level_sum.scope = company.scope
            and company.level = 'company'
),

against_facts as (
    select
        abs(
            (
                select coalesce(sum(total_vnd), 0)
                from {{ ref('fct_bill') }}
                where is_in_scope
            )
            - coalesce(sum(issued_vnd), 0)
        )
        + abs(
            (
                select count(*)
                from {{ ref('fct_bill') }}
                where is_in_scope
            )
            - (
                select coalesce(sum(bills_issued), 0)
                from unit
                where level = 'company' and geography = 'as_recorded' and scope = 'all'
            )
        ) as facts_difference
    from level_sum
    where level = 'company' and geography = 'as_recorded' and scope = 'all'
),

rows_wrong as (
    select
        count(*) filter (
            where
            amount_issued_vnd <> amount_collected_vnd + amount_open_vnd
            or bills_issued <> bills_settled + bills_partly_paid + bills_unpaid
        ) as rows_unbalanced,
        count(*) filter (
            where
            customers_cashless > customers_billed
            or customers_cashless_strict > customers_cashless
            or customers_auto_debit > customers_billed
            or bills_cashless + bills_mixed > bills_settled
            or bills_cashless_strict > bills_cashless
            or bills_settled > bills_issued
            or bills_on_time > bills_settled
            or amount_cashless_strict_vnd > amount_cashless_vnd
            or amount_cashless_vnd > amount_collected_vnd
        ) as rows_numerator_too_great
    from unit
),

published_rows as (
    select
        (select count(*) from {{ ref('kpi_commune_month') }})
        + (select count(*) from {{ ref('kpi_district_month') }})
        + (select count(*) from {{ ref('kpi_power_unit_month') }})
        + (select count(*) from {{ ref('kpi_company_month') }}) as published,
        (select count(*) from unit) as computed
),

channel as (
    select
        count(*) filter (where abs(share - 1) > 1e-12) as channel_shares_wrong,
        coalesce(sum(abs(amount_vnd - unit_collected_vnd)), 0) as channel_difference_vnd
    from (
        select
            sum(share.share_amount) as share,
            sum(share.amount_vnd) as amount_vnd,
            min(unit.amount_collected_vnd) as unit_collected_vnd
        from {{ ref('kpi_channel_month') }} as share
        left join unit
            on
                share.bill_month = unit.bill_month
                and share.geography = unit.geography
                and share.scope = unit.scope
                and share.level = unit.level
                and share.code = unit.code
        group by share.bill_month, share.geography, share.scope, share.level, share.code
    ) as shares
),

reconciliation as (
    select
        coalesce(sum(abs(
            total_vnd - allocated_vnd - unapplied_vnd - reversed_vnd - suspense_vnd - conflict_vnd - orphan_vnd
        )), 0)
        + abs(coalesce(sum(allocated_vnd), 0) - (select coalesce(sum(amount_vnd), 0) from {{ ref('fct_allocation') }}))
            as reconciliation_difference_vnd
    from {{ ref('reconciliation_partner_day') }}
)

select
    against_company.customers_difference::bigint as customers_difference,
    against_company.bills_difference::bigint as bills_difference,
    against_company.amount_difference_vnd::bigint as amount_difference_vnd,
    against_facts.facts_difference::bigint as facts_difference,
    rows_wrong.rows_unbalanced,
    rows_wrong.rows_numerator_too_great,
    abs(published_rows.published - published_rows.computed)::bigint as rows_unpublished,
    channel.channel_shares_wrong,
    channel.channel_difference_vnd::bigint as channel_difference_vnd,
    reconciliation.reconciliation_difference_vnd::bigint as reconciliation_difference_vnd,
    published_rows.published as rows_published
from against_company
cross join against_facts
cross join rows_wrong
cross join published_rows
cross join channel
cross join reconciliation
