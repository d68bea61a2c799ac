{#
  The current row of each key of a raw source: the greatest version; on equal versions the later status of the
  closed list; then the greater row by typed value, column by column in contract order, empty lowest.
  Contract order is the raw table's own column order, so the rule is not written down a second time.
  Most keys have one row: only the rows of the others are sorted. `key` has the columns of the contract's key, and may
  have more.
  `reached`: the model that lists the keys (columns `on`) that this build has to look at; none: all.
#}
{% macro current_rows(source_name, key, reached=none, on=none) -%}
    {%- set bookkeeping = ['file_id', 'line', 'version_at', 'version_rank', 'is_duplicate', 'is_key_repeated', 'change_id', 'extra'] -%}
    {%- set ns = namespace(tie_breakers=[]) -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(source('raw', source_name)) -%}
            {%- if column.name not in key and column.name not in bookkeeping -%}
                {%- do ns.tie_breakers.append(column.name ~ ' desc nulls last') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    with repeated as (
        {{ repeated_keys(source_name, key, reached, on) }}
    )

    -- `not exists`, not `not in`: a hash join can spill to disk, a hashed list cannot.
    select raw_row.*
    from {{ accepted_rows(source_name, reached, on) }} as raw_row
    where
        not exists (
            select 1 from repeated
            where {% for column in key %}repeated.{{ column }} = raw_row.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
        )
    union all
    select *
    from (
        select distinct on ({{ key | join(', ') }}) *
        from {{ accepted_rows(source_name, reached, on) }} as raw_row
        where ({{ key | join(', ') }}) in (select {{ key | join(', ') }} from repeated)
        order by {{ (key + ['version_at desc', 'version_rank desc'] + ns.tie_breakers) | join(', ') }}
    ) as latest
{%- endmacro %}

{#
  The keys of a raw source that have more than one row, and some that have one by now. Of the rows of a contract's key
  all but the first say that they are not it.
#}
{% macro repeated_keys(source_name, key, reached=none, on=none) -%}
    select distinct {{ key | join(', ') }}
    from {{ accepted_rows(source_name, reached, on) }} as raw_row
    where is_key_repeated
{%- endmacro %}

{#
  How many different keys of a raw source the model `reached` lists (all, if everything is made anew): the first rows of
  keys, and the keys whose first row was taken out.
#}
{% macro count_keys(source_name, key, reached) -%}
    {%- set rows -%}
        {{ source('raw', source_name) }} as raw_row
        where {{ only_those_in(reached, key, 'raw_row') }}
    {%- endset -%}
    select
        (select count(*) from {{ rows }} and not is_key_repeated)
        + (
            select count(*)
            from (
                select distinct {{ key | join(', ') }} from {{ rows }} and is_key_repeated
            ) as repeated
            where
                not exists (
                    select 1 from {{ source('raw', source_name) }} as first_row
                    where
                        not first_row.is_key_repeated
                        {%- for column in key %}
                        and first_row.{{ column }} = repeated.{{ column }}
                        {%- endfor %}
                )
        ) as keys
{%- endmacro %}
