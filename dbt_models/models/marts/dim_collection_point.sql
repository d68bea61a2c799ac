-- Grain: one row per collection point: its current row.
select
    point.collection_point_code,
    point.name as collection_point_name,
    point.operator,
    point.written_era as era,
    {{ place_code('reading') }} as commune_code,
    point.serves_commune_codes,
    point.opened_on,
    point.planned_close_on,
    point.closed_on,
    point.authority_reported_on
from {{ ref('stg_collection_point') }} as point
left join {{ ref('commune_reading') }} as reading
    on
        point.written_commune_code = reading.written_code
        and point.written_era = reading.written_era
        and point.written_era = reading.wanted_era
