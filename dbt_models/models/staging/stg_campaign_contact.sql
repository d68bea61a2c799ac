-- Grain: one row per contact that this build makes anew: its current row.
with current_version as (
    {{ current_rows('campaign_contacts', ['contact_id'], 'rebuilt_contact', ['contact_id']) }}
)

select
    current_version.contact_id,
    current_version.campaign_id,
    customer_key.customer_key,
    current_version.employee_code,
    current_version.bank_code,
    current_version.contacted_at,
    current_version.contacted_at::date as contacted_on,
    current_version.place,
    current_version.outcome,
    current_version.outcome <> 'not_reached' as is_reached
from current_version
inner join {{ source('private', 'customer_key') }} as customer_key
    on current_version.customer_code = customer_key.customer_code
