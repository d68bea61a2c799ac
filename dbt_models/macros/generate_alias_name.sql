{# A table as it will be published has the name that it has everywhere else, in a schema of its own. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ custom_alias_name if custom_alias_name else node.name.removeprefix('candidate_') }}
{%- endmacro %}
