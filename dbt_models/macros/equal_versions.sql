{#
  How many rows of a raw source tie with another row of their key on version and state: told apart by value only.
  Of the reached keys, unless everything is made anew.
#}
{% macro equal_versions(source_name, key, reached=none, on=none) -%}
    (
        select coalesce(sum(ties.rows_tied - 1), 0)::bigint
        from (
            select count(*) as rows_tied
            from {{ accepted_rows(source_name, reached, on) }} as raw_row
            where ({{ key | join(', ') }}) in ({{ repeated_keys(source_name, key, reached, on) }})
            group by {{ key | join(', ') }}, version_at, version_rank
            having count(*) > 1
        ) as ties
    )
{%- endmacro %}
