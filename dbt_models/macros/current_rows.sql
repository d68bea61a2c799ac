{#
  The current row of each key of a raw source: the greatest version; on equal versions the later status of the
  closed list; then the greater row by typed value, column by column in contract order, empty lowest.
  Contract order is the raw table's own column order, so the rule is not written down a second time.
#}
{% macro current_rows(source_name, key) -%}
    {%- set bookkeeping = ['file_id', 'line', 'version_at', 'version_rank', 'is_duplicate', 'extra'] -%}
    {%- set ns = namespace(tie_breakers=[]) -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(source('raw', source_name)) -%}
            {%- if column.name not in key and column.name not in bookkeeping -%}
                {%- do ns.tie_breakers.append(column.name ~ ' desc nulls last') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    select distinct on ({{ key | join(', ') }}) *
    from {{ source('raw', source_name) }}
    where not is_duplicate
    order by {{ (key + ['version_at desc', 'version_rank desc'] + ns.tie_breakers) | join(', ') }}
{%- endmacro %}
