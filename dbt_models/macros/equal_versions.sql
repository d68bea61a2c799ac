{# How many rows of a raw source tie with another row of their key on version and state: told apart by value only. #}
{% macro equal_versions(source_name, key) -%}
    (
        select coalesce(sum(ties.rows_tied - 1), 0)::bigint
        from (
            select count(*) as rows_tied
            from {{ source('raw', source_name) }}
            where
                not is_duplicate
                and ({{ key | join(', ') }}) in ({{ repeated_keys(source_name, key) }})
            group by {{ key | join(', ') }}, version_at, version_rank
            having count(*) > 1
        ) as ties
    )
{%- endmacro %}
