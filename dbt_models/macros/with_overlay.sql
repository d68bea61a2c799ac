{#
  The project's own reference rows and the operator's (file `overlay` of the overlay folder): of a key that both have,
  the operator's rows alone. `seed_rows` is a relation or CTE that has the columns.
#}
{% macro with_overlay(seed_rows, overlay, columns, key) -%}
    select {{ columns | join(', ') }}
    from {{ seed_rows }} as seed_row
    where
        not exists (
            select 1 from {{ source('reference', 'overlay_' ~ overlay) }} as own_row
            where {% for name in key %}own_row.{{ name }} = seed_row.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
        )
    union all
    select {{ columns | join(', ') }}
    from {{ source('reference', 'overlay_' ~ overlay) }}
{%- endmacro %}
