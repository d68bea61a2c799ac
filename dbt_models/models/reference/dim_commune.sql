-- Grain: one row per commune code and era. GSO codes are recycled, so the code alone names nothing.
with eras as (
    select
        '2024' as era,
        commune_code,
        full_name as commune_name,
        unit_type as commune_type,
        district_code,
        district_name,
        '37' as former_province_code,
        valid_from,
        valid_to
    from {{ ref('admin_units_2024') }}
    union all
    select
        '2025h1' as era,
        commune_code,
        full_name as commune_name,
        unit_type as commune_type,
        district_code,
        district_name,
        '37' as former_province_code,
        valid_from,
        valid_to
    from {{ ref('admin_units_2025h1') }}
    union all
    select
        '2025h2' as era,
        commune_code,
        full_name as commune_name,
        unit_type as commune_type,
        null as district_code,
        null as district_name,
        former_province_code,
        valid_from,
        valid_to
    from {{ ref('admin_units_2025') }}
)

{{ with_overlay(
    'eras',
    'communes',
    [
        'commune_code', 'era', 'commune_name', 'commune_type', 'district_code', 'district_name',
        'former_province_code', 'valid_from', 'valid_to'
    ],
    key=['commune_code', 'era']
) }}
