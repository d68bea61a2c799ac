{# Whether this build makes everything anew: the first one, or one by changed models, seeds or checks. #}
{% macro is_full() -%}
    {%- if execute -%}
        {%- set answer = run_query('select is_full from ' ~ source('touched', 'change_window')) -%}
        {{ return(answer.rows[0][0]) }}
    {%- endif -%}
    {{ return(false) }}
{%- endmacro %}

{# No rows, of these columns and types: what the lists of touched keys are when everything is made anew. #}
{% macro nothing(columns) -%}
    select
        {%- for name, type in columns.items() %}
        null::{{ type }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro %}

{# The keys of the rows that came to count in a raw table, or were withdrawn from it, since the last publication. #}
{% macro touched_keys(source_name, columns) -%}
    select {{ columns.keys() | join(', ') }}
    from {{ source('raw', source_name) }}
    where
        not is_duplicate
        and change_id > (select changes_after from {{ source('touched', 'change_window') }})
    union
    select
        {%- for name, type in columns.items() %}
        (fields ->> '{{ name }}')::{{ type }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ source('landing', 'withdrawn_row') }}
    where
        source = '{{ source_name }}'
        and not (fields ->> 'is_duplicate')::boolean
        and change_id > (select changes_after from {{ source('touched', 'change_window') }})
{%- endmacro %}

{#
  A raw table without its duplicates; of its rows only those whose key (columns `on`) the model `reached` lists, unless
  everything is made anew. Models are given by name here and below: what is not read in a build is not referred to.
#}
{% macro accepted_rows(source_name, reached=none, on=none) -%}
    (
        select *
        from {{ source('raw', source_name) }}
        where
            not is_duplicate
            {%- if reached is not none and not is_full() %}
            and ({{ on | join(', ') }}) in (select {{ on | join(', ') }} from {{ ref(reached) }})
            {%- endif %}
    )
{%- endmacro %}

{# A condition that keeps the rows whose key the model `keys` lists; always true if everything is made anew. #}
{% macro only_those_in(keys, columns, alias) -%}
    {%- if is_full() -%}
        true
    {%- else -%}
        exists (
            select 1 from {{ ref(keys) }} as listed
            where {% for column in columns %}listed.{{ column }} = {{ alias }}.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
        )
    {%- endif -%}
{%- endmacro %}

{#
  A table as it will be published: what BI has now outside the keys that the model `keys` lists, and the rebuilt rows.
  `on`: column of the list to the table's column.
#}
{% macro after_publication(table, keys, on) -%}
    {%- if not is_full() %}
    select published_row.*
    from {{ source('published', table) }} as published_row
    where
        not exists (
            select 1 from {{ ref(keys) }} as rebuilt
            where {% for theirs, ours in on.items() %}rebuilt.{{ theirs }} = published_row.{{ ours }}{{ ' and ' if not loop.last }}{% endfor %}
        )
    union all
    {%- endif %}
    select *
    from {{ ref(table) }}
{%- endmacro %}

{# Rows that stand in one of two relations of the same columns and not in the other. #}
{% macro in_one_only(one, other) -%}
    (select * from {{ one }} except select * from {{ other }})
    union all
    (select * from {{ other }} except select * from {{ one }})
{%- endmacro %}

{# The rows of the billing months that are made anew. #}
{% macro of_rebuilt_months(relation) -%}
    {%- if is_full() -%}
        {{ relation }}
    {%- else -%}
        (
            select *
            from {{ relation }}
            where bill_month in (select rebuilt.bill_month from {{ ref('rebuilt_month') }} as rebuilt)
        )
    {%- endif -%}
{%- endmacro %}
