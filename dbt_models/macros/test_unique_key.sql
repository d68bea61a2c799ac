{#
  The columns identify a row. One query for a key of any number of columns; returns the keys that occur twice.
  Only rows whose number is repeated are compared.
#}
{% test unique_key(model, columns) %}
with repeated as (
    {{ repeated_numbers(columns, model) }}
)

select
    {{ columns | join(', ') }},
    count(*) as rows_of_key
from {{ model }}
where {{ key_number(columns) }} in (select key_number from repeated)
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
