{# In-scope rows once per scope they count in: electricity bills in both, service bills in `all` only. #}
{% macro by_scope(relation, columns, condition='true') -%}
    select
        'electricity' as scope,
        {{ columns | join(', ') }}
    from {{ relation }}
    where bill_type = 'electricity' and {{ condition }}
    union all
    select
        'all' as scope,
        {{ columns | join(', ') }}
    from {{ relation }}
    where {{ condition }}
{%- endmacro %}
