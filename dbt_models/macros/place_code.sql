{# What a commune code means in the wanted era; used with a left join to commune_reading. #}
{% macro place_code(reading) -%} coalesce({{ reading }}.commune_code, 'UNRESOLVED') {%- endmacro %}

{# Pseudo-codes are rows of their own, so that sums agree; they belong to no commune, unit or district. #}
{% macro pseudo_codes() -%} ('UNRESOLVED', 'UNKNOWN') {%- endmacro %}

{# Channel classes that count as cashless in each reading (docs/figures.md). #}
{% macro is_cashless(class_column) -%} {{ class_column }} in ('cashless', 'agent_cash') {%- endmacro %}
{% macro is_cashless_strict(class_column) -%} {{ class_column }} = 'cashless' {%- endmacro %}

{#
  The spans of days in which one of `versions` holds in one era, with where the customer counts then (as recorded).
  `versions` has customer_key, written_era, written_commune_code, power_unit_code, place_from and place_to; `also` names
  further columns of it that are kept.
#}
{% macro spans_by_era(versions, also=[]) -%}
    select
        version.customer_key,
        era.era,
        greatest(version.place_from, era.first_month) as holds_from,
        least(version.place_to, era.until_month) as holds_to,
        {{ place_code('recorded') }} as commune_code,
        version.power_unit_code
        {%- for column in also %},
        version.{{ column }}
        {%- endfor %}
    from {{ versions }} as version
    inner join (values {{ era_spans() }}) as era (era, first_month, until_month)
        on version.place_from < era.until_month and version.place_to > era.first_month
    left join {{ ref('commune_reading') }} as recorded
        on
            version.written_commune_code = recorded.written_code
            and version.written_era = recorded.written_era
            and era.era = recorded.wanted_era
{%- endmacro %}
