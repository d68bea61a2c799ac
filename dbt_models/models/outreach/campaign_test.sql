-- Grain: one row per customer and day on which a campaign asks how it pays: whether it paid cash until then (the three
-- latest electricity bills issued before, not all of them cashless) and changed afterwards (the two next, the first of
-- them soon, both cashless). Who has fewer bills than that neither pays cash nor is converted.
with tested as (
    select
        customer_key,
        contacted_on as tested_on
    from {{ ref('contact_place') }}
    where is_reached
    union
    select
        customer_key,
        tested_on
    from {{ ref('baseline_candidate') }}
),

bill as (
    select
        customer_key,
        issued_on,
        is_cashless,
        lag(is_cashless) over bills as is_cashless_1_before,
        lag(is_cashless, 2) over bills as is_cashless_2_before,
        lead(issued_on) over bills as next_issued_on,
        lead(is_cashless) over bills as is_cashless_1_after,
        lead(is_cashless, 2) over bills as is_cashless_2_after
    from {{ ref('candidate_fct_bill') }}
    where
        is_in_scope
        and bill_type = 'electricity'
        and customer_key in (select tested.customer_key from tested)
    window bills as (partition by customer_key order by issued_on, bill_id)
),

-- The latest bill before the day: of those issued on one day the last, since the others' next comes on the same day.
answered as (
    select
        tested.customer_key,
        tested.tested_on,
        bill.is_cashless_2_before is not null
        and not (bill.is_cashless and bill.is_cashless_1_before and bill.is_cashless_2_before) as is_paying_cash,
        coalesce(
            bill.next_issued_on <= tested.tested_on + 60
            and bill.is_cashless_1_after
            and bill.is_cashless_2_after,
            false
        ) as is_cashless_after
    from tested
    inner join bill
        on
            tested.customer_key = bill.customer_key
            and tested.tested_on > bill.issued_on
            and tested.tested_on <= coalesce(bill.next_issued_on, 'infinity'::date)
)

select
    customer_key,
    tested_on,
    is_paying_cash,
    is_paying_cash and is_cashless_after as is_converted
from answered
