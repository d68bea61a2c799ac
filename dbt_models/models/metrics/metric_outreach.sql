-- Grain: one row: do campaigns, notices, phone numbers, feedback, counters and progress add up? Every column of a
-- difference or a fault must be zero; the others are findings.
with raw_contact as (
    {{ count_keys('campaign_contacts', ['contact_id'], 'rebuilt_contact') }}
),

raw_notification as (
    {{ count_keys('notifications', ['notification_id'], 'touched_notification') }}
),

raw_review as (
    {{ count_keys('phone_reviews', ['review_id'], 'touched_phone_review') }}
),

contact as (
    select
        count(*) as contacts,
        count(employee_code) as contacts_of_employees,
        count(*) filter (
            where campaign_id not in (select campaign.campaign_id from {{ ref('dim_campaign') }} as campaign)
        ) as contacts_of_unknown_campaigns,
        count(*) filter (where commune_code in {{ pseudo_codes() }}) as contacts_of_unplaced_customers
    from {{ ref('candidate_fct_campaign_contact') }}
),

campaign as (
    select
        coalesce(sum(contacts), 0) as contacts,
        coalesce(sum(converted), 0) as converted,
        count(*) filter (
            where
            converted > contacted_paying_cash
            or contacted_paying_cash > customers_contacted
            or customers_contacted > contacts
            or baseline_converted > baseline_paying_cash
        ) as rows_numerator_too_great,
        count(*) filter (
            where
            conversion_rate is distinct from {{ rate('converted', 'contacted_paying_cash') }}
            or baseline_rate is distinct from {{ rate('baseline_converted', 'baseline_paying_cash') }}
            or lift is distinct from conversion_rate - baseline_rate
        ) as rows_rate_wrong
    from {{ ref('kpi_campaign') }}
),

employee as (
    select
        coalesce(sum(contacts), 0) as contacts,
        coalesce(sum(conversions), 0) as conversions,
        count(*) filter (where contacts_not_reached > contacts) as rows_numerator_too_great,
        count(*) filter (where attainment is distinct from conversions / nullif(target, 0)) as rows_rate_wrong
    from {{ ref('kpi_employee_month') }}
),

-- Both tables say how many customers a commune has, and both must say what the customers' own spans say.
active as (
    select
        covered.month,
        count(*) as customers_active
    from {{ ref('covered_month') }} as covered
    inner join {{ ref('active_span') }} as span
        on covered.month >= span.first_month and covered.month < span.until_month
    where {{ only_those_in('rebuilt_coverage_month', ['month'], 'covered') }}
    group by 1
),

notification as (
    select
        month,
        sum(customers_active) as customers_active,
        count(*) filter (where customers_notified > customers_active) as rows_numerator_too_great,
        count(*) filter (where coverage is distinct from {{ rate('customers_notified', 'customers_active') }})
            as rows_rate_wrong
    from {{ ref('kpi_notification_month') }}
    group by 1
),

phone as (
    select
        month,
        sum(customers_active) as customers_active,
        count(*) filter (where customers_verified > customers_active) as rows_numerator_too_great,
        count(*) filter (where verified_rate is distinct from {{ rate('customers_verified', 'customers_active') }})
            as rows_rate_wrong
    from {{ ref('kpi_phone_month') }}
    group by 1
),

coverage as (
    select
        coalesce(sum(
            abs(coalesce(active.customers_active, 0) - coalesce(notification.customers_active, 0))
            + abs(coalesce(active.customers_active, 0) - coalesce(phone.customers_active, 0))
        ), 0) as customers_active_difference,
        coalesce(sum(notification.rows_numerator_too_great + phone.rows_numerator_too_great), 0)
            as rows_numerator_too_great,
        coalesce(sum(notification.rows_rate_wrong + phone.rows_rate_wrong), 0) as rows_rate_wrong
    from active
    full join notification on active.month = notification.month
    full join phone on coalesce(active.month, notification.month) = phone.month
),

feedback as (
    select
        (select count(*) from {{ ref('fct_feedback') }}) as feedback,
        (select count(distinct feedback_id) from {{ accepted_rows('feedback') }} as accepted) as feedback_of_raw,
        coalesce(sum(received), 0) as received,
        count(*) filter (where closed > received or reopened > received) as rows_numerator_too_great
    from {{ ref('kpi_feedback_month') }}
),

-- Whatever the map did with the communes, what is open at a month's end is open in one of them.
open_feedback as (
    select
        covered.month,
        count(feedback.feedback_id) as feedback
    from {{ ref('covered_month') }} as covered
    left join {{ ref('fct_feedback') }} as feedback
        on
            feedback.received_on <= {{ month_end('covered.month') }}
            and (feedback.closed_on is null or feedback.closed_on > {{ month_end('covered.month') }})
    group by 1
),

published_backlog as (
    select
        month,
        sum(backlog) as feedback
    from {{ ref('kpi_feedback_month') }}
    group by 1
),

backlog as (
    select coalesce(sum(abs(open_feedback.feedback - coalesce(published_backlog.feedback, 0))), 0) as backlog_difference
    from open_feedback
    left join published_backlog
        on open_feedback.month = published_backlog.month
),

unplaced as (
    select
        (select count(*) filter (where commune_code = 'UNRESOLVED') from {{ ref('candidate_fct_notification') }})
        + (select count(*) filter (where commune_code = 'UNRESOLVED') from {{ ref('fct_feedback') }})
            as communes_unresolved
),

counter as (
    select
        abs(count(*) - (select count(*) from {{ ref('stg_collection_point') }})) as counters_missing,
        count(*) filter (
            where
            kpi.is_ready <> (
                kpi.is_cashless_rate_ok
                and kpi.is_coverage_ok
                and kpi.is_phone_ok
                and kpi.is_feedback_ok
                and kpi.is_authority_reported
            )
            or kpi.is_cashless_rate_ok <> coalesce(kpi.cashless_rate >= gate.cashless_rate, false)
            or kpi.is_coverage_ok <> coalesce(kpi.notification_coverage >= gate.notification_coverage, false)
            or kpi.is_phone_ok <> coalesce(kpi.phone_verified_rate >= gate.phone_verified_rate, false)
            or kpi.is_feedback_ok <> (kpi.feedback_open <= gate.feedback_open)
        ) as rows_gate_wrong,
        count(*) filter (
            where
            greatest(
                kpi.cashless_rate,
                kpi.notification_coverage,
                kpi.phone_verified_rate,
                kpi.on_time_rate_before,
                kpi.on_time_rate_after
            ) > 1
            or kpi.cashless_rate_strict > kpi.cashless_rate
        ) as rows_numerator_too_great
    from {{ ref('candidate_kpi_counter_closure') }} as kpi
    cross join {{ source('gate', 'closure_gate') }} as gate
),

counter_total as (
    select
        collection_point_code,
        count(*) as customers
    from {{ ref('fct_counter_customer') }}
    group by 1
),

served as (
    select coalesce(sum(abs(kpi.customers_served - coalesce(total.customers, 0))), 0) as customers_served_difference
    from {{ ref('kpi_counter_closure') }} as kpi
    left join counter_total as total
        on kpi.collection_point_code = total.collection_point_code
),

{% set bill_counts = ['bills_issued', 'bills_settled', 'bills_cashless', 'bills_cashless_strict'] %}
progress_day as (
    select
        level,
        bill_month,
        scope,
        days_after,
        {{- sums(bill_counts) }}
    from {{ ref('kpi_progress') }}
    group by level, bill_month, scope, days_after
),

progress_company as (
    select *
    from progress_day
    where level = 'company'
),

progress_units as (
    select *
    from progress_day
    where level = 'power_unit'
),

progress as (
    select
        {{ differences(bill_counts, 'company', 'units') }} as progress_difference,
        count(*) filter (
            where
            company.bills_settled > company.bills_issued
            or company.bills_cashless > company.bills_settled
            or company.bills_cashless_strict > company.bills_cashless
        ) as rows_numerator_too_great
    from progress_company as company
    full join progress_units as units
        on
            company.bill_month = units.bill_month
            and company.scope = units.scope
            and company.days_after = units.days_after
),

-- No day can have more than the month has in the end.
beyond as (
    select count(*) as rows_beyond_month
    from progress_company as progress_day
    inner join {{ ref('candidate_kpi_company_month') }} as company
        on
            progress_day.bill_month = company.bill_month
            and progress_day.scope = company.scope
            and company.geography = 'as_recorded'
    where
        progress_day.bills_issued > company.bills_issued
        or progress_day.bills_settled > company.bills_settled
        or progress_day.bills_cashless > company.bills_cashless
        or progress_day.bills_cashless_strict > company.bills_cashless_strict
)

select
    abs(raw_contact.keys - (select count(*) from {{ ref('fct_campaign_contact') }}))::bigint as contacts_missing,
    abs(raw_notification.keys - (select count(*) from {{ ref('fct_notification') }}))::bigint
        as notifications_missing,
    abs(raw_review.keys - (select count(*) from {{ ref('fct_phone_review') }}))::bigint as phone_reviews_missing,
    abs(feedback.feedback_of_raw - feedback.feedback)::bigint as feedback_missing,
    counter.counters_missing::bigint as counters_missing,
    (abs(contact.contacts - campaign.contacts) + abs(contact.contacts_of_employees - employee.contacts))::bigint
        as contacts_difference,
    greatest(employee.conversions - campaign.converted, 0)::bigint as conversions_too_many,
    coverage.customers_active_difference::bigint as customers_active_difference,
    abs(feedback.feedback - feedback.received)::bigint as feedback_difference,
    backlog.backlog_difference::bigint as backlog_difference,
    served.customers_served_difference::bigint as customers_served_difference,
    progress.progress_difference::bigint as progress_difference,
    beyond.rows_beyond_month,
    (
        campaign.rows_numerator_too_great
        + employee.rows_numerator_too_great
        + coverage.rows_numerator_too_great
        + feedback.rows_numerator_too_great
        + counter.rows_numerator_too_great
        + progress.rows_numerator_too_great
    )::bigint as rows_numerator_too_great,
    (campaign.rows_rate_wrong + employee.rows_rate_wrong + coverage.rows_rate_wrong)::bigint as rows_rate_wrong,
    counter.rows_gate_wrong,
    contact.contacts_of_unknown_campaigns,
    contact.contacts_of_unplaced_customers,
    unplaced.communes_unresolved,
    {{ equal_versions('campaigns', ['campaign_id']) }}
    + {{ equal_versions('campaign_contacts', ['contact_id'], 'rebuilt_contact', ['contact_id']) }}
    + {{ equal_versions('notifications', ['notification_id'], 'touched_notification', ['notification_id']) }}
    + {{ equal_versions('phone_reviews', ['review_id'], 'reached_phone_review', ['review_id']) }}
    + {{ equal_versions('feedback', ['feedback_id']) }}
    + {{ equal_versions('employees', ['employee_code', 'effective_from']) }} as equal_versions
from raw_contact
cross join raw_notification
cross join raw_review
cross join contact
cross join campaign
cross join employee
cross join coverage
cross join feedback
cross join unplaced
cross join backlog
cross join counter
cross join served
cross join progress
cross join beyond
