-- Grain: one row per collection point and span of days: where the point stood then, and whom it served. A day's last
-- version holds from that day on; the earliest version of all holds for the days before it.
with by_time as (
    {{ current_rows('collection_points', ['collection_point_code', 'updated_at']) }}
),

last_of_day as (
    select distinct on (collection_point_code, updated_at::date) *
    from by_time
    order by collection_point_code asc, updated_at::date asc, updated_at desc
),

earliest as (
    select distinct on (collection_point_code) *
    from by_time
    order by collection_point_code, updated_at
),

spans as (
    select
        collection_point_code,
        updated_at,
        commune_code,
        serves_commune_codes,
        updated_at::date as holds_from,
        coalesce(
            lead(updated_at::date) over (partition by collection_point_code order by updated_at),
            'infinity'::date
        ) as holds_to
    from last_of_day
    union all
    select
        collection_point_code,
        updated_at,
        commune_code,
        serves_commune_codes,
        '-infinity'::date as holds_from,
        updated_at::date as holds_to
    from earliest
)

select
    collection_point_code,
    {{ era_of('updated_at') }} as written_era,
    commune_code as written_commune_code,
    serves_commune_codes,
    holds_from,
    holds_to
from spans
