-- Grain: one row per customer that this build has to read, and effective_from: what held from that day on.
with current_version as (
    {{ current_rows('customers', ['customer_code', 'effective_from'], 'reached_customer', ['customer_code']) }}
),

keyed as (
    select
        customer_key.customer_key,
        current_version.*
    from current_version
    inner join {{ source('private', 'customer_key') }} as customer_key
        on current_version.customer_code = customer_key.customer_code
)

select
    customer_key,
    effective_from,
    lead(effective_from) over versions as effective_to,
    -- Before its first version a customer is placed by the first one.
    case
        when row_number() over versions = 1 then '-infinity'::date
        else effective_from
    end as place_from,
    coalesce(lead(effective_from) over versions, 'infinity'::date) as place_to,
    {{ era_of('effective_from') }} as written_era,
    commune_code as written_commune_code,
    power_unit_code,
    customer_type,
    status,
    phone
from keyed
window versions as (partition by customer_key order by effective_from)
