-- Grain: one row per mandate that a reached customer has or had.
{%- if is_full() %}
{{ nothing({'mandate_id': 'text'}) }}
{%- else %}
select distinct raw_row.mandate_id
from {{ source('raw', 'auto_debit_mandates') }} as raw_row
where raw_row.customer_code in (select reached.customer_code from {{ ref('reached_customer') }} as reached)
{%- endif %}
