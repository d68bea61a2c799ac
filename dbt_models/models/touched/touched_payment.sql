-- Grain: one row per transaction whose net amount the new rows can have changed: their own, the payments these reverse
-- (now, or as published), and all reversals of either.
{%- if is_full() %}
{{ nothing({'partner_code': 'text', 'transaction_id': 'text'}) }}
{%- else %}
with changed as (
    {{ touched_keys('payments', {'partner_code': 'text', 'transaction_id': 'text'}) }}
),

root as (
    select
        partner_code,
        transaction_id
    from changed
    union
    select
        raw_row.partner_code,
        raw_row.reverses_transaction_id
    from {{ source('raw', 'payments') }} as raw_row
    inner join changed
        on raw_row.partner_code = changed.partner_code and raw_row.transaction_id = changed.transaction_id
    where raw_row.reverses_transaction_id is not null
    union
    select
        published.partner_code,
        published.reverses_transaction_id
    from {{ source('published', 'fct_payment') }} as published
    inner join changed
        on published.partner_code = changed.partner_code and published.transaction_id = changed.transaction_id
    where published.reverses_transaction_id is not null
)

select
    partner_code,
    transaction_id
from root
union
select
    raw_row.partner_code,
    raw_row.transaction_id
from {{ source('raw', 'payments') }} as raw_row
inner join root
    on raw_row.partner_code = root.partner_code and raw_row.reverses_transaction_id = root.transaction_id
{%- endif %}
