{#
  The rows of a small cell table, once for every unit they count in: the grain becomes (geography, level, code) and
  the cell's own columns. Company and power units are read as recorded; a company row exists in both geographies.
  `geographies`: 'both', or 'as_recorded' where the current map is not published.
#}
{% macro unit_levels(cells, columns, geographies='both') -%}
    {%- set units = [
        ('as_recorded', 'company', "'COMPANY'", none),
        ('as_recorded', 'power_unit', 'power_unit_code', none),
        ('as_recorded', 'district', 'district_code', 'district_code is not null'),
        ('as_recorded', 'commune', 'commune_code', none),
        ('current', 'company', "'COMPANY'", none),
        ('current', 'commune', 'current_commune_code', none),
    ] -%}
    {%- set wanted = [] -%}
    {%- for unit in units if geographies == 'both' or unit[0] == geographies -%}
        {%- do wanted.append(unit) -%}
    {%- endfor -%}
    {%- for geography, level, code, condition in wanted %}
    select
        '{{ geography }}' as geography,
        '{{ level }}' as level,
        {{ code }} as code,
        {{ columns | join(', ') }}
    from {{ cells }}
    {%- if condition %}
    where {{ condition }}
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
