-- Grain: one row per power unit known to the project. Units that only occur in the data are shown by their code.
{{ with_overlay(
    ref('districts_power_units_2024'),
    'power_units',
    ['power_unit_code', 'power_unit_name', 'district_code'],
    key=['power_unit_code']
) }}
