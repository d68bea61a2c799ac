{# Whether this build makes everything anew: the first one, or one by changed models, seeds or checks. #}
{% macro is_full() -%}
    {%- set window = source('touched', 'change_window') -%}
    {%- if execute -%}
        {%- set answer = run_query('select is_full from ' ~ window) -%}
        {{ return(answer.rows[0][0]) }}
    {%- endif -%}
    {{ return(false) }}
{%- endmacro %}

{# The last change that is published: this build looks at those after it. A number, so that the planner knows how few. #}
{% macro changes_after() -%}
    {%- set window = source('touched', 'change_window') -%}
    {%- if execute -%}
        {%- set answer = run_query('select changes_after from ' ~ window) -%}
        {{ return(answer.rows[0][0] | int) }}
    {%- endif -%}
    {{ return(-1) }}
{%- endmacro %}

{# The last change that the published figures know, also where everything is made anew; none if nothing is published. #}
{% macro published_through() -%}
    {%- set window = source('touched', 'change_window') -%}
    {%- if execute -%}
        {%- set answer = run_query('select published_through from ' ~ window) -%}
        {{ return(answer.rows[0][0]) }}
    {%- endif -%}
    {{ return(-1) }}
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
        and change_id > {{ changes_after() }}
    union
    select
        {%- for name, type in columns.items() %}
        (fields ->> '{{ name }}')::{{ type }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ source('landing', 'withdrawn_row') }}
    where
        source = '{{ source_name }}'
        and not (fields ->> 'is_duplicate')::boolean
        and change_id > {{ changes_after() }}
{%- endmacro %}

{#
  Those rows themselves, also where everything is made anew: of which file and line, whether withdrawn, and `columns`
  with their types. A row that came and went since the last publication was in no figure, and is not among them.
#}
{% macro moved_rows(source_name, columns) -%}
    select
        '{{ source_name }}' as source,
        file_id,
        line,
        false as is_withdrawn,
        {{ columns.keys() | join(', ') }}
    from {{ source('raw', source_name) }}
    where
        not is_duplicate
        and change_id > {{ published_through() | int }}
    union all
    select
        source,
        file_id,
        line,
        true as is_withdrawn,
        {%- for name, type in columns.items() %}
        (fields ->> '{{ name }}')::{{ type }} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ source('landing', 'withdrawn_row') }}
    where
        source = '{{ source_name }}'
        and not (fields ->> 'is_duplicate')::boolean
        and change_id > {{ published_through() | int }}
        and (fields ->> 'change_id')::bigint <= {{ published_through() | int }}
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

{#
  The values of `columns` in the rows of a key that stand in one of two relations only, or differently in the two.
  Both values, where they differ. The two have the same columns in the same order; the first of `columns` is never null
  in a row of theirs.
#}
{% macro in_one_only(one, other, key, columns) -%}
    select {% for column in columns %}side.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ one }} as one
    full join {{ other }} as other
        on {% for column in key %}one.{{ column }} = other.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    cross join lateral (
        values
        ({% for column in columns %}one.{{ column }}{{ ', ' if not loop.last }}{% endfor %}),
        ({% for column in columns %}other.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
    ) as side ({{ columns | join(', ') }})
    where one is distinct from other and side.{{ columns[0] }} is not null
{%- endmacro %}

{# The rows of the billing months that are made anew: those that the model `keys` lists. #}
{% macro of_rebuilt_months(relation, keys='rebuilt_month') -%}
    {%- if is_full() -%}
        {{ relation }}
    {%- else -%}
        (
            select *
            from {{ relation }}
            where {{ on_listed_days('bill_month', keys, 'bill_month') }}
        )
    {%- endif -%}
{%- endmacro %}

{# The payments of the partners and days whose reconciliation is made anew. #}
{% macro of_rebuilt_partner_days(relation) -%}
    {%- if is_full() -%}
        {{ relation }}
    {%- else -%}
        (
            select *
            from {{ relation }} as payment
            where
                {{ on_listed_days('payment.paid_on', 'rebuilt_partner_day', 'paid_on') }}
                and {{ only_those_in('rebuilt_partner_day', ['partner_code', 'paid_on'], 'payment') }}
        )
    {%- endif -%}
{%- endmacro %}

{#
  A condition that keeps the rows of the days that the model `keys` lists. They are written out: a join would read all
  of a published table, where by values its index finds the rows, and the planner knows how many.
#}
{% macro on_listed_days(day, keys, column) -%}
    {%- set days = [] -%}
    {%- set listed = ref(keys) -%}
    {%- if execute -%}
        {%- for row in run_query('select distinct ' ~ column ~ ' from ' ~ listed ~ ' order by 1') -%}
            {%- do days.append(row[0] | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ day }} = any('{ {{- days | join(', ') -}} }'::date [])
{%- endmacro %}

{# The local date of the latest payment that was loaded; null if there is none. #}
{% macro data_through() -%} (select max(paid_through)::date from {{ source('landing', 'file') }}) {%- endmacro %}
