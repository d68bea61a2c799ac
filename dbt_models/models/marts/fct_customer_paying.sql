-- Grain: one row per customer with an in-scope electricity bill: how the three latest of them that are settled were
-- paid (all, if there are fewer). A bill that is merely not paid yet says nothing of how.
with numbered as (
    select
        bill.customer_key,
        bill.bill_month,
        bill.is_settled,
        bill.is_cashless,
        bill.has_auto_debit,
        bill.channel_code,
        bill.current_commune_code,
        row_number() over latest as place,
        -- By the same sort, which is most of the work.
        count(*) filter (where bill.is_settled) over latest as settled_place
    from {{ ref('candidate_fct_bill') }} as bill
    where
        bill.is_in_scope
        and bill.bill_type = 'electricity'
        and {{ only_those_in('rebuilt_customer', ['customer_key'], 'bill') }}
    window latest as (
        partition by bill.customer_key
        order by bill.issued_on desc, bill.bill_id desc
        rows unbounded preceding
    )
),

looked_at as (
    select
        *,
        is_settled and settled_place <= 3 as is_looked_at
    from numbered
)

select
    customer_key,
    max(current_commune_code) filter (where place = 1) as current_commune_code,
    max(bill_month) filter (where place = 1) as last_bill_month,
    count(*) filter (where is_looked_at) as bills,
    count(*) filter (where is_looked_at and is_cashless) as bills_cashless,
    count(*) filter (where not is_settled) as bills_unsettled,
    bool_or(is_looked_at and not is_cashless) as is_paying_cash,
    -- By which channel the latest that was not cashless was paid; empty where several did.
    (
        array_agg(channel_code order by place) filter (where is_looked_at and not is_cashless)
    )[1] as cash_channel_code,
    bool_or(has_auto_debit) filter (where place = 1) as has_auto_debit
from looked_at
group by 1
