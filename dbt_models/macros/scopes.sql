{# Rows once per scope they count in: those of electricity bills in both, those of service bills in `all` only. #}
{% macro by_scope(relation, columns) -%}
    select
        'electricity' as scope,
        {{ columns | join(', ') }}
    from {{ relation }}
    where bill_type = 'electricity'
    union all
    select
        'all' as scope,
        {{ columns | join(', ') }}
    from {{ relation }}
{%- endmacro %}
