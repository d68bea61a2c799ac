{#
  The columns identify a row. One query for a key of any number of columns; returns the keys that occur twice.
  Keys are told apart by a number made of them, which is quick to sort; those of repeated numbers are then compared.
#}
{% test unique_key(model, columns) %}
{%- set number -%}
    {%- for column in columns -%}
        coalesce(hashtextextended({{ column }}::text, {{ loop.index0 }}), 0){{ " # " if not loop.last }}
    {%- endfor -%}
{%- endset %}
with repeated as (
    select key_number
    from (
        select {{ number }} as key_number from {{ model }}
        -- Sorted, not hashed: nothing tells the planner how many different numbers there are.
        order by key_number offset 0
    ) as sorted
    group by key_number
    having count(*) > 1
)

select
    {{ columns | join(', ') }},
    count(*) as rows_of_key
from {{ model }}
where {{ number }} in (select key_number from repeated)
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
