-- Grain: one row per collection point: how its customers stand on the day it closed, else on the last day of the data,
-- and gate by gate whether it can close.
with customer_total as (
    select
        collection_point_code,
        count(*) as customers_served,
        count(*) filter (where is_notified) as customers_notified,
        count(*) filter (where is_phone_verified) as customers_verified
    from {{ ref('fct_counter_customer') }}
    group by 1
),

bill as (
    select
        served.collection_point_code,
        judged.judged_by,
        served.customer_key,
        fact.is_cashless,
        fact.is_cashless_strict,
        coalesce(fact.settled_on <= fact.due_on, false) as is_on_time
    from {{ ref('counter_bill_month') }} as judged
    inner join {{ ref('fct_counter_customer') }} as served
        on judged.collection_point_code = served.collection_point_code
    inner join {{ ref('candidate_fct_bill') }} as fact
        on judged.bill_month = fact.bill_month and served.customer_key = fact.customer_key
    where
        fact.is_in_scope
        and fact.bill_type = 'electricity'
        and {{ on_listed_days('fact.bill_month', 'counter_bill_month', 'bill_month') }}
),

billed_customer as (
    select
        collection_point_code,
        customer_key,
        bool_and(is_cashless) as is_cashless,
        bool_and(is_cashless_strict) as is_cashless_strict
    from bill
    where judged_by = 'rate'
    group by 1, 2
),

cashless as (
    select
        collection_point_code,
        count(*) as customers_billed,
        count(*) filter (where is_cashless) as customers_cashless,
        count(*) filter (where is_cashless_strict) as customers_cashless_strict
    from billed_customer
    group by 1
),

on_time as (
    select
        collection_point_code,
        count(*) filter (where judged_by = 'on_time_before') as bills_before,
        count(*) filter (where judged_by = 'on_time_before' and is_on_time) as bills_on_time_before,
        count(*) filter (where judged_by = 'on_time_after') as bills_after,
        count(*) filter (where judged_by = 'on_time_after' and is_on_time) as bills_on_time_after
    from bill
    group by 1
),

open_feedback as (
    select
        served.collection_point_code,
        count(*) as feedback_open
    from {{ ref('fct_counter_customer') }} as served
    inner join {{ ref('fct_feedback') }} as feedback
        on served.customer_key = feedback.customer_key
    where
        feedback.topic = 'counter_closure'
        and feedback.received_on <= served.as_of
        and (feedback.closed_on is null or feedback.closed_on > served.as_of)
    group by 1
),

measured as (
    select
        counter.collection_point_code,
        counter.as_of,
        coalesce(customer_total.customers_served, 0) as customers_served,
        {{ rate('cashless.customers_cashless', 'cashless.customers_billed') }} as cashless_rate,
        {{ rate('cashless.customers_cashless_strict', 'cashless.customers_billed') }} as cashless_rate_strict,
        {{ rate('customer_total.customers_notified', 'customer_total.customers_served') }} as notification_coverage,
        {{ rate('customer_total.customers_verified', 'customer_total.customers_served') }} as phone_verified_rate,
        coalesce(open_feedback.feedback_open, 0) as feedback_open,
        counter.is_authority_reported,
        {{ rate('on_time.bills_on_time_before', 'on_time.bills_before') }} as on_time_rate_before,
        {{ rate('on_time.bills_on_time_after', 'on_time.bills_after') }} as on_time_rate_after
    from {{ ref('counter') }} as counter
    left join customer_total
        on counter.collection_point_code = customer_total.collection_point_code
    left join cashless
        on counter.collection_point_code = cashless.collection_point_code
    left join on_time
        on counter.collection_point_code = on_time.collection_point_code
    left join open_feedback
        on counter.collection_point_code = open_feedback.collection_point_code
    where {{ only_those_in('rebuilt_counter', ['collection_point_code'], 'counter') }}
),

judged as (
    -- A rate that nobody can tell does not pass its gate.
    select
        measured.*,
        coalesce(measured.cashless_rate >= gate.cashless_rate, false) as is_cashless_rate_ok,
        coalesce(measured.notification_coverage >= gate.notification_coverage, false) as is_coverage_ok,
        coalesce(measured.phone_verified_rate >= gate.phone_verified_rate, false) as is_phone_ok,
        measured.feedback_open <= gate.feedback_open as is_feedback_ok
    from measured
    cross join {{ source('gate', 'closure_gate') }} as gate
)

select
    collection_point_code,
    as_of,
    customers_served,
    cashless_rate,
    cashless_rate_strict,
    notification_coverage,
    phone_verified_rate,
    feedback_open,
    is_cashless_rate_ok,
    is_coverage_ok,
    is_phone_ok,
    is_feedback_ok,
    is_authority_reported,
    is_cashless_rate_ok and is_coverage_ok and is_phone_ok and is_feedback_ok and is_authority_reported as is_ready,
    on_time_rate_before,
    on_time_rate_after
from judged
