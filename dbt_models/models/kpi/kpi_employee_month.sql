-- Grain: one row per month and employee with a contact in it or a target for it. A conversion counts once per campaign
-- and customer, for the employee and in the month of the latest contact that led to it.
with contact as (
    select
        date_trunc('month', contacted_on)::date as month,
        employee_code,
        is_reached,
        is_converted and row_number() over (
            partition by campaign_id, customer_key, is_converted
            order by contacted_at desc, contact_id desc
        ) = 1 as is_conversion
    from {{ ref('candidate_fct_campaign_contact') }}
),

counted as (
    select
        month,
        employee_code,
        count(*) as contacts,
        count(*) filter (where not is_reached) as contacts_not_reached,
        count(*) filter (where is_conversion) as conversions
    from contact
    where employee_code is not null
    group by 1, 2
),

target as (
    select
        month,
        code as employee_code,
        target
    from {{ ref('stg_target') }}
    where level = 'employee' and metric = 'conversions'
)

select
    coalesce(counted.month, target.month) as month,
    coalesce(counted.employee_code, target.employee_code) as employee_code,
    coalesce(counted.contacts, 0) as contacts,
    coalesce(counted.contacts_not_reached, 0) as contacts_not_reached,
    coalesce(counted.conversions, 0) as conversions,
    target.target,
    coalesce(counted.conversions, 0) / nullif(target.target, 0) as attainment
from counted
full join target
    on counted.month = target.month and counted.employee_code = target.employee_code
