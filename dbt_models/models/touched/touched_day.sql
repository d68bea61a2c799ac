-- Grain: one row: the earliest day on which a customer's place or state, its being told or its number's being verified
-- is other than as published; infinity if none is.
{%- if is_full() %}
select '-infinity'::date as touched_from
{%- else %}
{%- set state = ['customer_key', 'effective_from', 'era', 'commune_code', 'power_unit_code', 'status'] %}
with published_version as (
    select published.{{ state | join(', published.') }}
    from {{ source('published', 'dim_customer') }} as published
    where published.customer_key in (select touched.customer_key from {{ ref('touched_customer') }} as touched)
),

version as (
    select {{ state | join(', ') }}
    from {{ ref('dim_customer') }}
),

published_notice as (
    select
        published.notification_id,
        published.customer_key,
        published.sent_on
    from {{ source('published', 'fct_notification') }} as published
    where
        published.is_closure_notice
        and published.notification_id in (
            select touched.notification_id from {{ ref('touched_notification') }} as touched
        )
),

notice as (
    select
        notification_id,
        customer_key,
        sent_on
    from {{ ref('fct_notification') }}
    where is_closure_notice
),

published_verification as (
    select published.*
    from {{ source('published', 'fct_phone_verification') }} as published
    where published.customer_key in (select rebuilt.customer_key from {{ ref('rebuilt_verification') }} as rebuilt)
),

-- When a number begins and ceases to be verified, so that what is only confirmed again does not count from its start.
published_edge as (
    select
        customer_key,
        verified_from as edge_on,
        true as is_start
    from published_verification
    union all
    select
        customer_key,
        verified_to as edge_on,
        false as is_start
    from published_verification
    where verified_to is not null
),

edge as (
    select
        customer_key,
        verified_from as edge_on,
        true as is_start
    from {{ ref('fct_phone_verification') }}
    union all
    select
        customer_key,
        verified_to as edge_on,
        false as is_start
    from {{ ref('fct_phone_verification') }}
    where verified_to is not null
),

changed as (
    select changed_version.effective_from as changed_from
    from (
        {{ in_one_only('published_version', 'version', ['customer_key', 'effective_from'], ['effective_from']) }}
    ) as changed_version
    union all
    select changed_notice.sent_on as changed_from
    from (
        {{ in_one_only('published_notice', 'notice', ['notification_id'], ['sent_on']) }}
    ) as changed_notice
    union all
    select changed_edge.edge_on as changed_from
    from (
        {{ in_one_only('published_edge', 'edge', ['customer_key', 'edge_on', 'is_start'], ['edge_on']) }}
    ) as changed_edge
)

select coalesce(min(changed_from), 'infinity'::date) as touched_from
from changed
{%- endif %}
