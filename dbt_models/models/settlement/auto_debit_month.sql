-- Grain: one row per customer and billing month on whose last day the customer has an active mandate.
-- Paired with months first: mandates are few, customer months are many.
with months as (
    select distinct bill_month
    from {{ ref('stg_bill') }}
)

select distinct
    mandate.customer_key,
    months.bill_month
from {{ ref('stg_auto_debit_mandate') }} as mandate
inner join months
    on
        mandate.signed_on <= {{ month_end('months.bill_month') }}
        and (mandate.ended_on is null or mandate.ended_on >= {{ month_end('months.bill_month') }})
