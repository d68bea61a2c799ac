-- Grain: one row per customer, billing month and scope with an in-scope bill. A customer has one place in a month, so
-- whatever is counted per customer here can be summed over places.
with scoped as (
    {{ by_scope(ref('fct_bill'), [
        'customer_key', 'bill_month', 'commune_code', 'district_code', 'power_unit_code', 'current_commune_code',
        'total_vnd', 'collected_vnd', 'cashless_vnd', 'cashless_strict_vnd', 'open_vnd',
        'is_settled', 'is_cashless', 'is_cashless_strict', 'is_mixed', 'settled_on', 'due_on'
    ], 'is_in_scope') }}
),

customer_month as (
    select
        bill_month,
        scope,
        customer_key,
        commune_code,
        district_code,
        power_unit_code,
        current_commune_code,
        bool_and(is_cashless) as is_cashless,
        bool_and(is_cashless_strict) as is_cashless_strict,
        count(*) as bills_issued,
        count(*) filter (where is_settled) as bills_settled,
        count(*) filter (where is_cashless) as bills_cashless,
        count(*) filter (where is_cashless_strict) as bills_cashless_strict,
        count(*) filter (where is_mixed) as bills_mixed,
        count(*) filter (where collected_vnd = 0) as bills_unpaid,
        count(*) filter (where collected_vnd > 0 and not is_settled) as bills_partly_paid,
        sum(total_vnd)::bigint as amount_issued_vnd,
        sum(collected_vnd)::bigint as amount_collected_vnd,
        sum(cashless_vnd)::bigint as amount_cashless_vnd,
        sum(cashless_strict_vnd)::bigint as amount_cashless_strict_vnd,
        sum(open_vnd)::bigint as amount_open_vnd,
        count(*) filter (where settled_on <= due_on) as bills_on_time
    from scoped
    group by 1, 2, 3, 4, 5, 6, 7
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
