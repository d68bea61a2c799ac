-- Grain: one row per collection point and the day by which it is judged: the day it closed, else data through.
select
    collection_point_code,
    operator,
    closed_on,
    coalesce(closed_on, {{ data_through() }}) as as_of,
    coalesce(authority_reported_on <= coalesce(closed_on, {{ data_through() }}), false) as is_authority_reported
from {{ ref('stg_collection_point') }}
