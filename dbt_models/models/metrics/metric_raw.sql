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
        coalesce(sum(rows_quarantined), 0) as rows_quarantined
    from {{ source('landing', 'file') }}
),

refused as (
    select count(*) as files_refused from {{ source('landing', 'refused_file') }}
),

{% if not is_full() -%}
-- The files that changed, or from which rows came to count, since the last publication.
touched_file as (
    select
        source,
        file_id
    from {{ source('landing', 'change') }}
    where change_id > {{ changes_after() }}
    {%- for name in sources %}
    union
    select
        '{{ name }}' as source,
        file_id
    from {{ source('raw', name) }}
    where change_id > {{ changes_after() }}
    {%- endfor %}
),

{% endif -%}
-- The rows of such files that stand in raw. A file that changed may have none that did: a copy that took over the older
-- rows of its original.
kept as (
    {%- for name in sources %}
    select
        file_id,
        count(*) filter (where not is_duplicate) as rows_kept
    from {{ source('raw', name) }}
    {%- if not is_full() %}
    where
        file_id in (
            select touched.file_id from touched_file as touched
            where touched.source = '{{ name }}'
        )
        -- By it the index leaves out all that is older.
        and file_id >= (
            select min(touched.file_id) from touched_file as touched
            where touched.source = '{{ name }}'
        )
    {%- endif %}
    group by 1
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

accounted as (
    select coalesce(sum(abs(file.rows_loaded - kept.rows_kept)), 0) as rows_unaccounted
    from kept
    inner join {{ source('landing', 'file') }} as file
        on kept.file_id = file.file_id
),

-- Files that say they loaded rows of which raw has none.
missing as (
    select coalesce(sum(file.rows_loaded), 0) as rows_missing
    from {{ source('landing', 'file') }} as file
    where
        file.rows_loaded > 0
        and file.file_id not in (select kept.file_id from kept)
        {%- if not is_full() %}
        and file.file_id in (
            select change.file_id
            from {{ source('landing', 'change') }} as change
            where change.change_id > {{ changes_after() }}
        )
        {%- endif %}
),

quarantine as (
    -- A row that a corrected one made up for goes on counting in the line of its file.
    select
        count(*) filter (where status = 'open') as open_rows,
        count(*) filter (where status = 'open' or repaired_by is not null) as held_rows
    from {{ source('landing', 'quarantine') }}
)

select
    ledger.files_unbalanced,
    refused.files_refused,
    (accounted.rows_unaccounted + missing.rows_missing)::bigint as rows_unaccounted,
    abs(ledger.rows_quarantined - quarantine.held_rows)::bigint as quarantine_unaccounted,
    quarantine.open_rows as quarantine_open
from ledger
cross join refused
cross join accounted
cross join missing
cross join quarantine
