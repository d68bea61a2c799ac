-- Grain: one row per bill (its current row), with its place and how it was settled. Bills out of scope are kept and
-- marked; nothing is allocated to them. A customer without any row of its own counts in place UNKNOWN.
select
    bill.bill_id,
    bill.customer_key,
    bill.bill_type,
    bill.bill_month,
    bill.cycle,
    bill.issued_on,
    bill.due_on,
    bill.kwh,
    bill.before_vat_vnd,
    bill.vat_vnd,
    bill.total_vnd,
    bill.status,
    bill.replaced_by,
    bill.is_in_scope,
    coalesce(place.commune_code, 'UNKNOWN') as commune_code,
    case
        when place.customer_key is null and bill.bill_month < {{ districts_until() }} then 'UNKNOWN'
        else place.district_code
    end as district_code,
    case when place.customer_key is null then 'UNKNOWN' else place.power_unit_code end as power_unit_code,
    coalesce(place.current_commune_code, 'UNKNOWN') as current_commune_code,
    coalesce(settlement.payments, 0) as payments,
    coalesce(settlement.collected_vnd, 0) as collected_vnd,
    coalesce(settlement.cashless_vnd, 0) as cashless_vnd,
    coalesce(settlement.cashless_strict_vnd, 0) as cashless_strict_vnd,
    case when bill.is_in_scope then bill.total_vnd - coalesce(settlement.collected_vnd, 0) else 0 end as open_vnd,
    coalesce(settlement.collected_vnd = bill.total_vnd, false) as is_settled,
    coalesce(settlement.collected_vnd = bill.total_vnd and settlement.cashless_vnd = bill.total_vnd, false)
        as is_cashless,
    coalesce(settlement.collected_vnd = bill.total_vnd and settlement.cashless_strict_vnd = bill.total_vnd, false)
        as is_cashless_strict,
    coalesce(
        settlement.collected_vnd = bill.total_vnd
        and settlement.cashless_vnd > 0
        and settlement.cashless_vnd < bill.total_vnd,
        false
    ) as is_mixed,
    case when settlement.collected_vnd = bill.total_vnd then settlement.last_paid_on end as settled_on,
    case
        when settlement.collected_vnd = bill.total_vnd
            then greatest(settlement.last_paid_on - bill.issued_on, 0)
    end as days_to_pay,
    mandate.customer_key is not null as has_auto_debit,
    settlement.channel_code
from {{ ref('stg_bill') }} as bill
left join {{ ref('customer_place') }} as place
    on
        bill.customer_key = place.customer_key
        and {{ era_of('bill.bill_month') }} = place.era
        and bill.bill_month >= place.first_month
        and bill.bill_month < place.until_month
left join {{ ref('bill_settlement') }} as settlement
    on bill.bill_id = settlement.bill_id
left join {{ ref('auto_debit_month') }} as mandate
    on bill.customer_key = mandate.customer_key and bill.bill_month = mandate.bill_month
where {{ only_those_in('rebuilt_bill', ['bill_id'], 'bill') }}
