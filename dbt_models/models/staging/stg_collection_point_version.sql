-- Grain: one row per collection point and day on which a version begins to hold: where the point stood, and whom it
-- served. The first version also holds for all days before it.
with by_time as (
    {{ current_rows('collection_points', ['collection_point_code', 'updated_at']) }}
),

last_of_day as (
    select distinct on (collection_point_code, updated_at::date) *
    from by_time
    order by collection_point_code, updated_at::date, updated_at desc
)

select
    collection_point_code,
    {{ era_of('updated_at') }} as written_era,
    commune_code as written_commune_code,
    serves_commune_codes,
    case
        when row_number() over versions = 1 then '-infinity'::date
        else updated_at::date
    end as holds_from,
    coalesce(lead(updated_at::date) over versions, 'infinity'::date) as holds_to
from last_of_day
window versions as (partition by collection_point_code order by updated_at)
