-- Grain: one row: the invariants of the published figures (docs/figures.md), held on the very tables that are
-- published. Every column but the last counts or sums what must be zero. Against the facts: the months and days that
-- this build made anew; the others were held against the same facts when they were made.
with unit as (
    select
        'company' as level,
        'COMPANY' as code,
        {{ kpi_checked_columns() }}
    from {{ ref('candidate_kpi_company_month') }}
    union all
    select
        'power_unit' as level,
        power_unit_code as code,
        {{ kpi_checked_columns() }}
    from {{ ref('candidate_kpi_power_unit_month') }}
    union all
    select
        'district' as level,
        district_code as code,
        {{ kpi_checked_columns() }}
    from {{ ref('candidate_kpi_district_month') }}
    union all
    select
        'commune' as level,
        commune_code as code,
        {{ kpi_checked_columns() }}
    from {{ ref('candidate_kpi_commune_month') }}
),

level_sum as (
    select
        bill_month,
        geography,
        scope,
        level,
        {{- sums(kpi_measures()) }}
    from unit
    group by bill_month, geography, scope, level
),

-- What must be there for each month and scope of the company, so that a level that is missing is a difference too.
expected_level (geography, level, until) as (
    values
    ('as_recorded', 'power_unit', date 'infinity'),
    ('as_recorded', 'commune', date 'infinity'),
    ('as_recorded', 'district', {{ districts_until() }}),
    ('current', 'company', date 'infinity'),
    ('current', 'commune', date 'infinity')
),

against_company as (
    select
        {{ differences(kpi_measures_of('customers_'), 'company', 'level_sum') }} as customers_difference,
        {{ differences(kpi_measures_of('bills_'), 'company', 'level_sum') }} as bills_difference,
        {{ differences(kpi_measures_of('amount_'), 'company', 'level_sum') }} as amount_difference_vnd
    from level_sum as company
    inner join expected_level
        on company.bill_month < expected_level.until
    left join level_sum
        on
            company.bill_month = level_sum.bill_month
            and company.scope = level_sum.scope
            and expected_level.geography = level_sum.geography
            and expected_level.level = level_sum.level
    where company.level = 'company' and company.geography = 'as_recorded'
),

fact_by_type as (
    select
        bill_type,
        bill_month,
        count(*) as bills_issued,
        count(*) filter (where is_settled) as bills_settled,
        count(*) filter (where is_cashless) as bills_cashless,
        count(*) filter (where is_cashless_strict) as bills_cashless_strict,
        sum(total_vnd) as amount_issued_vnd,
        sum(collected_vnd) as amount_collected_vnd,
        sum(cashless_vnd) as amount_cashless_vnd,
        sum(cashless_strict_vnd) as amount_cashless_strict_vnd
    from {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
    where is_in_scope
    group by 1, 2
),
{% set fact_measures = [
    'bills_issued', 'bills_settled', 'bills_cashless', 'bills_cashless_strict', 'amount_issued_vnd',
    'amount_collected_vnd', 'amount_cashless_vnd', 'amount_cashless_strict_vnd'
] %}
fact_by_scope as (
    {{ by_scope('fact_by_type', ['bill_month'] + fact_measures) }}
),

fact as (
    select
        bill_month,
        scope,
        {{- sums(fact_measures) }}
    from fact_by_scope
    group by bill_month, scope
),

company as (
    select *
    from {{ of_rebuilt_months('level_sum') }} as rebuilt_level
    where level = 'company' and geography = 'as_recorded'
),

against_facts as (
    select {{ differences(fact_measures, 'fact', 'company') }} as facts_difference
    from fact
    full join company
        on fact.bill_month = company.bill_month and fact.scope = company.scope
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
        ) as rows_numerator_too_great,
        count(*) filter (
            where
            cashless_rate_customers is distinct from {{ rate('customers_cashless', 'customers_billed') }}
            or cashless_rate_customers_strict
            is distinct from {{ rate('customers_cashless_strict', 'customers_billed') }}
            or cashless_rate_bills is distinct from {{ rate('bills_cashless', 'bills_issued') }}
            or cashless_rate_bills_strict is distinct from {{ rate('bills_cashless_strict', 'bills_issued') }}
            or cashless_rate_amount is distinct from {{ rate('amount_cashless_vnd', 'amount_collected_vnd') }}
            or cashless_rate_amount_strict
            is distinct from {{ rate('amount_cashless_strict_vnd', 'amount_collected_vnd') }}
            or on_time_rate is distinct from {{ rate('bills_on_time', 'bills_issued') }}
            or attainment is distinct from cashless_rate_customers / nullif(target, 0)
        ) as rows_rate_wrong
    from unit
),

published_rows as (
    select
        (select count(*) from unit) as published,
        (select count(*) from {{ ref('kpi_company_month') }})
        + (select count(*) from {{ ref('kpi_power_unit_month') }})
        + (select count(*) from {{ ref('kpi_district_month') }})
        + (select count(*) from {{ ref('kpi_commune_month') }}) as rebuilt,
        (select count(*) from {{ ref('kpi_unit_month') }}) as computed
),

channel_sum as (
    select
        bill_month,
        geography,
        scope,
        level,
        code,
        sum(share_amount) as share,
        sum(amount_vnd) as amount_vnd
    from {{ ref('candidate_kpi_channel_month') }}
    group by bill_month, geography, scope, level, code
),

collected as (
    select
        bill_month,
        geography,
        scope,
        level,
        code,
        amount_collected_vnd
    from unit
    where geography = 'as_recorded' and amount_collected_vnd > 0
),

-- From both sides: a unit that collected has its channels, and a channel its unit.
channel as (
    select
        count(*) filter (where coalesce(abs(channel_sum.share - 1) > 1e-12, true)) as channel_shares_wrong,
        coalesce(sum(abs(
            coalesce(channel_sum.amount_vnd, 0) - coalesce(collected.amount_collected_vnd, 0)
        )), 0) as channel_difference_vnd
    from channel_sum
    full join collected
        on
            channel_sum.bill_month = collected.bill_month
            and channel_sum.geography = collected.geography
            and channel_sum.scope = collected.scope
            and channel_sum.level = collected.level
            and channel_sum.code = collected.code
),

{% set parts = ['allocated_vnd', 'unapplied_vnd', 'reversed_vnd', 'suspense_vnd', 'conflict_vnd', 'orphan_vnd'] %}
reconciliation_total as (
    select
        coalesce(sum(abs(total_vnd - ({{ parts | join(' + ') }}))), 0) as rows_difference_vnd,
        {{- sums(parts) }}
    from {{ ref('reconciliation_partner_day') }}
),

payment_total as (
    select
        {{- sums(parts) }}
    from {{ of_rebuilt_partner_days(ref('candidate_fct_payment')) }} as payment
),

reconciliation as (
    select
        coalesce(max(reconciliation_total.rows_difference_vnd), 0)
        + {{ differences(parts, 'payment_total', 'reconciliation_total') }} as reconciliation_difference_vnd
    from reconciliation_total
    cross join payment_total
)

select
    against_company.customers_difference::bigint as customers_difference,
    against_company.bills_difference::bigint as bills_difference,
    against_company.amount_difference_vnd::bigint as amount_difference_vnd,
    against_facts.facts_difference::bigint as facts_difference,
    rows_wrong.rows_unbalanced,
    rows_wrong.rows_numerator_too_great,
    rows_wrong.rows_rate_wrong,
    abs(published_rows.rebuilt - published_rows.computed)::bigint as rows_unpublished,
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
