-- Grain: one row per collection point: its current row.
with current_version as (
    {{ current_rows('collection_points', ['collection_point_code']) }}
)

select
    collection_point_code,
    name,
    operator,
    commune_code as written_commune_code,
    {{ era_of('updated_at') }} as written_era,
    serves_commune_codes,
    opened_on,
    planned_close_on,
    closed_on,
    authority_reported_on
from current_version
