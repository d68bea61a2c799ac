-- Grain: one row per bill that this build has to read: its current row.
with current_version as (
    {{ current_rows('bills', ['bill_id'], 'reached_bill', ['bill_id']) }}
)

select
    current_version.bill_id,
    customer_key.customer_key,
    current_version.bill_type,
    current_version.bill_month,
    current_version.cycle,
    current_version.issued_on,
    current_version.due_on,
    current_version.kwh,
    current_version.amount_before_vat as before_vat_vnd,
    current_version.vat_amount as vat_vnd,
    current_version.total_amount as total_vnd,
    current_version.status,
    current_version.replaced_by,
    current_version.status = 'issued' and current_version.total_amount > 0 as is_in_scope
from current_version
inner join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
