{% macro analyze_table() -%}
    {% if model.config.materialized == 'table' %}analyze {{ this }}{% else %}select 1{% endif %}
{%- endmacro %}
