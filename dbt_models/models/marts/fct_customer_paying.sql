-- Grain: one row per customer with an in-scope electricity bill: how the three latest of them that tell it were paid
-- (all, if there are fewer). A settled bill tells, and one of which a part was paid in cash; a bill that is merely not
-- paid yet does not.
with bill as (
    select
        fact.customer_key,
        fact.bill_id,
        fact.bill_month,
        fact.issued_on,
        fact.is_settled,
        fact.is_cashless,
        fact.collected_vnd > fact.cashless_vnd as has_cash,
        fact.has_auto_debit,
        fact.channel_code,
        fact.current_commune_code
    from {{ ref('candidate_fct_bill') }} as fact
    where
        fact.is_in_scope
        and fact.bill_type = 'electricity'
        and {{ only_those_in('rebuilt_customer', ['customer_key'], 'fact') }}
),

numbered as (
    select
        *,
        row_number() over latest as place,
        -- By the same sort, which is most of the work.
        count(*) filter (where is_settled or has_cash) over latest as telling_place
    from bill
    window latest as (
        partition by customer_key
        order by issued_on desc, bill_id desc
        rows unbounded preceding
    )
),

looked_at as (
    select
        *,
        (is_settled or has_cash) and telling_place <= 3 as is_looked_at
    from numbered
)

select
    customer_key,
    max(current_commune_code) filter (where place = 1) as current_commune_code,
    max(bill_month) filter (where place = 1) as last_bill_month,
    count(*) filter (where is_looked_at) as bills,
    count(*) filter (where is_looked_at and is_cashless) as bills_cashless,
    count(*) filter (where not is_settled) as bills_unsettled,
    bool_or(is_looked_at and has_cash) as is_paying_cash,
    (array_agg(bill_id order by place) filter (where is_looked_at and has_cash))[1] as cash_bill_id,
    -- Empty where several channels paid it.
    (array_agg(channel_code order by place) filter (where is_looked_at and has_cash))[1] as cash_channel_code,
    bool_or(has_auto_debit) filter (where place = 1) as has_auto_debit
from looked_at
group by 1
