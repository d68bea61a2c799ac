-- Grain: one row per commune of an era and each commune of the next era that took it over.
-- A split commune has several successors and no published shares: nothing is mapped through it.
-- The operator's rows of a commune replace all of the project's.
with eras as (
    select
        '2024' as from_era,
        old_code as from_commune_code,
        '2025h1' as to_era,
        new_code as to_commune_code,
        is_split,
        effective_from,
        legal_basis
    from {{ ref('commune_mapping_2024_to_2025h1') }}
    union all
    select
        '2025h1' as from_era,
        old_code as from_commune_code,
        '2025h2' as to_era,
        new_code as to_commune_code,
        is_split,
        effective_from,
        legal_basis
    from {{ ref('commune_mapping_2025') }}
)

{{ with_overlay(
    'eras',
    'commune_successions',
    [
        'from_era', 'from_commune_code', 'to_era', 'to_commune_code', 'is_split', 'effective_from', 'legal_basis'
    ],
    key=['from_era', 'from_commune_code']
) }}
