-- Grain: one row per customer who was told that a counter closes: the first day on which a notice was sent that
-- arrived.
{{ config(materialized='view') }}
select
    customer_key,
    min(sent_on) as notified_on
from {{ ref('candidate_fct_notification') }}
where is_closure_notice
group by 1
