-- Grain: one row per customer and span of months on whose last day it is active, in one commune and era.
{{ config(materialized='view') }}
with span as (
    select
        customer_key,
        commune_code,
        date_trunc('month', active_from::timestamp)::date as first_month,
        date_trunc('month', holds_to::timestamp)::date as until_month
    from {{ ref('customer_span') }}
    where active_from is not null
)

select *
from span
where first_month < until_month
