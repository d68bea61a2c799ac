{#
  Ids and codes are ordered bytewise, whatever the server's own collation. A table under contract is created from its
  data types, which would drop the collation that its query has; so its text columns say it again.
#}
{% macro postgres__get_table_columns_and_constraints() -%}
    {%- set columns = [] -%}
    {%- for column in adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
        {%- do columns.append(column ~ (' collate "C"' if column.split(' ')[1] == 'text' else '')) -%}
    {%- endfor -%}
    (
    {{ (columns + adapter.render_raw_model_constraints(raw_constraints=model['constraints'])) | join(',\n    ') }}
    )
{%- endmacro %}
