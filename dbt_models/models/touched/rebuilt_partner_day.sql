-- Grain: one row per partner and day of a payment that is not as published: its reconciliation is made anew.
{%- if is_full() %}
{{ nothing({'partner_code': 'text', 'paid_on': 'date'}) }}
{%- else %}
with published_payment as (
    select published.*
    from {{ source('published', 'fct_payment') }} as published
    inner join {{ ref('rebuilt_payment') }} as rebuilt
        on published.partner_code = rebuilt.partner_code and published.transaction_id = rebuilt.transaction_id
)

select distinct
    changed.partner_code,
    changed.paid_on
from (
    {{ in_one_only(
        'published_payment', ref('fct_payment'), ['partner_code', 'transaction_id'], ['partner_code', 'paid_on']
    ) }}
) as changed
{%- endif %}
