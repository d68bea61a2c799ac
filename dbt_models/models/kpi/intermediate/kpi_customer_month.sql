-- Grain: one row per customer and billing month with an in-scope bill. A customer has one place in a month, so
-- customers counted here can be summed over places.
with customer_month as (
    select
        bill_month,
        customer_key,
        min(commune_code) as commune_code,
        min(district_code) as district_code,
        min(power_unit_code) as power_unit_code,
        min(current_commune_code) as current_commune_code,
        bool_and(is_cashless) as is_cashless,
        bool_and(is_cashless_strict) as is_cashless_strict,
        -- Null where the customer has no electricity bill in the month.
        bool_and(is_cashless) filter (where bill_type = 'electricity') as is_electricity_cashless,
        bool_and(is_cashless_strict) filter (where bill_type = 'electricity') as is_electricity_cashless_strict
    from {{ ref('fct_bill') }}
    where is_in_scope
    group by 1, 2
),

months as (
    select distinct bill_month
    from customer_month
),

-- Paired with months first: mandates are few, customer months are many.
auto_debit as (
    select distinct
        mandate.customer_key,
        months.bill_month
    from {{ ref('stg_auto_debit_mandate') }} as mandate
    inner join months
        on
            mandate.signed_on <= {{ month_end('months.bill_month') }}
            and (mandate.ended_on is null or mandate.ended_on >= {{ month_end('months.bill_month') }})
)

select
    customer_month.*,
    auto_debit.customer_key is not null as has_auto_debit
from customer_month
left join auto_debit
    on
        customer_month.customer_key = auto_debit.customer_key
        and customer_month.bill_month = auto_debit.bill_month
