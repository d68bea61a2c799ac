-- Grain: one row per contact that this build makes anew: where its customer counted on that day, as recorded.
select
    contact.contact_id,
    contact.campaign_id,
    contact.customer_key,
    contact.employee_code,
    contact.bank_code,
    contact.contacted_at,
    contact.contacted_on,
    contact.place,
    contact.outcome,
    contact.is_reached,
    coalesce(span.commune_code, 'UNKNOWN') as commune_code,
    case when span.customer_key is null then 'UNKNOWN' else span.power_unit_code end as power_unit_code
from {{ ref('stg_campaign_contact') }} as contact
left join {{ ref('customer_span') }} as span
    on
        contact.customer_key = span.customer_key
        and contact.contacted_on >= span.holds_from
        and contact.contacted_on < span.holds_to
