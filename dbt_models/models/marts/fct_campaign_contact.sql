-- Grain: one row per contact of a campaign, with where its customer counted on that day and how it paid before and
-- after. What a contact that reached nobody led to is not asked.
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
    contact.commune_code,
    contact.power_unit_code,
    contact.is_reached and coalesce(test.is_paying_cash, false) as is_paying_cash,
    contact.is_reached and coalesce(test.is_converted, false) as is_converted
from {{ ref('contact_place') }} as contact
left join {{ ref('campaign_test') }} as test
    on contact.customer_key = test.customer_key and contact.contacted_on = test.tested_on
