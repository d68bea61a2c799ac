{#
  A number made of the columns of a key, quick to sort and to hash. Different keys may have one number, so it finds what
  is worth comparing and decides nothing by itself.
#}
{% macro key_number(columns) -%}
    {%- for column in columns -%}
        coalesce(hashtextextended({{ column }}::text, {{ loop.index0 }}), 0){{ " # " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The numbers (column key_number) that several rows have. #}
{% macro repeated_numbers(columns, relation, condition='true') -%}
    select key_number
    from (
        select {{ key_number(columns) }} as key_number
        from {{ relation }}
        where {{ condition }}
        -- Sorted, not hashed: nothing tells the planner how many different numbers there are.
        order by key_number offset 0
    ) as sorted
    group by key_number
    having count(*) > 1
{%- endmacro %}
