{{ config(meta={'dagster': {'ref': {'name': 'dim_commune_succession'}}}) }}
-- Every commune has a successor in the era that follows, and every successor exists there. The mapping tables are
-- files people edit: a line left out would make all customers of a commune UNRESOLVED, and no sum would show it.
with eras as (
    select
        era,
        lead(era) over (order by era) as next_era
    from (select distinct era from {{ ref('dim_commune') }}) as known
),

left_behind as (
    select
        commune.era,
        commune.commune_code
    from {{ ref('dim_commune') }} as commune
    inner join eras
        on commune.era = eras.era
    left join {{ ref('dim_commune_succession') }} as succession
        on
            commune.era = succession.from_era
            and commune.commune_code = succession.from_commune_code
            and eras.next_era = succession.to_era
    where eras.next_era is not null and succession.to_commune_code is null
),

led_nowhere as (
    select
        succession.to_era as era,
        succession.to_commune_code as commune_code
    from {{ ref('dim_commune_succession') }} as succession
    left join {{ ref('dim_commune') }} as commune
        on
            succession.to_era = commune.era
            and succession.to_commune_code = commune.commune_code
    where commune.commune_code is null
)

select *
from left_behind
union all
select *
from led_nowhere
