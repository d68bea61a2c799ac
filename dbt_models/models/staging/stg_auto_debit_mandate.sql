-- Grain: one row per mandate of a customer that this build has to read: its current row.
with current_version as (
    {{ current_rows('auto_debit_mandates', ['mandate_id'], 'reached_mandate', ['mandate_id']) }}
)

select
    current_version.mandate_id,
    customer_key.customer_key,
    current_version.bank_code,
    current_version.signed_on,
    current_version.ended_on
from current_version
inner join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
