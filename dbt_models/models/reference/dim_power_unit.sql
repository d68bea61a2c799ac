-- Grain: one row per power unit known to the project. Units that only occur in the data are shown by their code.
select
    power_unit_code,
    power_unit_name,
    district_code
from {{ ref('districts_power_units_2024') }}
