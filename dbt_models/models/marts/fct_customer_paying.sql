-- Grain: one row per customer with an in-scope electricity bill: how the three latest of them were paid (all, if there
-- are fewer).
with numbered as (
    select
        bill.customer_key,
        bill.bill_month,
        bill.issued_on,
        bill.is_settled,
        bill.is_cashless,
        bill.has_auto_debit,
        bill.channel_code,
        bill.power_unit_code,
        bill.current_commune_code,
        row_number() over (
            partition by bill.customer_key
            order by bill.issued_on desc, bill.bill_id desc
        ) as place
    from {{ ref('candidate_fct_bill') }} as bill
    where
        bill.is_in_scope
        and bill.bill_type = 'electricity'
        and {{ only_those_in('rebuilt_customer', ['customer_key'], 'bill') }}
)

select
    customer_key,
    max(power_unit_code) filter (where place = 1) as power_unit_code,
    max(current_commune_code) filter (where place = 1) as current_commune_code,
    max(bill_month) filter (where place = 1) as last_bill_month,
    count(*) as bills,
    count(*) filter (where is_cashless) as bills_cashless,
    count(*) filter (where not is_settled) as bills_unsettled,
    count(*) = 3 and not bool_and(is_cashless) as is_paying_cash,
    -- By which channel the latest of them that was paid, and not cashless, was paid; empty where several did.
    (array_agg(channel_code order by place) filter (where is_settled and not is_cashless))[1] as cash_channel_code,
    bool_or(has_auto_debit) filter (where place = 1) as has_auto_debit
from numbered
where place <= 3
group by 1
