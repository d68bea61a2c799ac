{# A folder's schema is used as it is named: the warehouse has one set of rooms, not one per developer. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name else target.schema }}
{%- endmacro %}
