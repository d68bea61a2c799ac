{# What a commune code means in the wanted era; used with a left join to commune_reading. #}
{% macro place_code(reading) -%} coalesce({{ reading }}.commune_code, 'UNRESOLVED') {%- endmacro %}

{# Pseudo-codes are rows of their own, so that sums agree; they belong to no commune, unit or district. #}
{% macro pseudo_codes() -%} ('UNRESOLVED', 'UNKNOWN') {%- endmacro %}

{# Channel classes that count as cashless in each reading (docs/figures.md). #}
{% macro is_cashless(class_column) -%} {{ class_column }} in ('cashless', 'agent_cash') {%- endmacro %}
{% macro is_cashless_strict(class_column) -%} {{ class_column }} = 'cashless' {%- endmacro %}
