-- Grain: one row per customer: who it is, as its latest version says. Personal: seen in bi_private only.
select distinct on (customer_key.customer_key)
    customer_key.customer_key,
    customer_key.customer_code,
    version.customer_name,
    version.contract_no,
    version.phone,
    version.address
from ({{ current_rows('customers', ['customer_code', 'effective_from'], 'touched_customer', ['customer_code']) }})
    as version
inner join {{ source('private', 'customer_key') }} as customer_key
    on version.customer_code = customer_key.customer_code
order by customer_key.customer_key asc, version.effective_from desc
