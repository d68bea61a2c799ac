-- Grain: one row per commune code, era in which it was written, and era in which it is wanted (the same or later).
-- A code that its era does not have is read in the latest earlier era that has it, then mapped forward.
-- `commune_code` is UNRESOLVED where the way forward goes through a split. A code that no such era has is absent
-- here, and so is a wanted era before the written one: both are UNRESOLVED to whoever joins (macro `place_code`).
with eras as (
    select distinct era from {{ ref('dim_commune') }}
),

written as (
    select
        codes.commune_code,
        eras.era as written_era,
        max(known.era) as known_era
    from (select distinct commune_code from {{ ref('dim_commune') }}) as codes
    cross join eras
    inner join {{ ref('dim_commune') }} as known
        on codes.commune_code = known.commune_code and eras.era >= known.era
    group by 1, 2
),

steps as (
    select
        from_era,
        from_commune_code,
        to_era,
        case when bool_or(is_split) then 'UNRESOLVED' else min(to_commune_code) end as to_commune_code
    from {{ ref('dim_commune_succession') }}
    group by 1, 2, 3
),

paths as (
    select
        era as from_era,
        commune_code as from_commune_code,
        era as to_era,
        commune_code as to_commune_code
    from {{ ref('dim_commune') }}
    union all
    select
        from_era,
        from_commune_code,
        to_era,
        to_commune_code
    from steps
    union all
    select
        first_step.from_era,
        first_step.from_commune_code,
        second_step.to_era,
        second_step.to_commune_code
    from steps as first_step
    inner join steps as second_step
        on
            first_step.to_era = second_step.from_era
            and first_step.to_commune_code = second_step.from_commune_code
)

select
    written.commune_code as written_code,
    written.written_era,
    paths.to_era as wanted_era,
    paths.to_commune_code as commune_code
from written
inner join paths
    on
        written.commune_code = paths.from_commune_code
        and written.known_era = paths.from_era
        and written.written_era <= paths.to_era
