-- Grain: one row: does the ledger account for every row and every đồng of the landing files?
{%- set sources = [
    'customers', 'bills', 'payments', 'auto_debit_mandates', 'collection_points', 'campaigns',
    'campaign_contacts', 'notifications', 'phone_reviews', 'feedback', 'targets', 'employees'
] %}
with ledger as (
    select
        count(*) filter (
            where
            rows_in_file <> rows_loaded + rows_duplicate + rows_quarantined
            or money_in_file_vnd <> money_loaded_vnd + money_duplicate_vnd + money_quarantined_vnd
        ) as files_unbalanced,
        count(*) filter (where refused_reason is not null) as files_refused,
        coalesce(sum(rows_loaded), 0) as rows_loaded,
        coalesce(sum(rows_quarantined), 0) as rows_quarantined
    from {{ source('landing', 'file') }}
),

kept as (
    select sum(kept_rows) as rows_kept
    from (
        {%- for name in sources %}
            select count(*) as kept_rows
            from {{ source('raw', name) }}
            where not is_duplicate
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    ) as counted
),

quarantine as (
    select count(*) as open_rows
    from {{ source('landing', 'quarantine') }}
    where status = 'open'
)

select
    ledger.files_unbalanced,
    ledger.files_refused,
    abs(ledger.rows_loaded - kept.rows_kept)::bigint as rows_unaccounted,
    abs(ledger.rows_quarantined - quarantine.open_rows)::bigint as quarantine_unaccounted,
    quarantine.open_rows as quarantine_open
from ledger
cross join kept
cross join quarantine
