{# The columns of the four KPI tables that the invariants are about. #}
{% macro kpi_checked_columns() -%}
    {%- set columns = ['bill_month', 'geography', 'scope'] + kpi_measures() + [
        'cashless_rate_customers', 'cashless_rate_bills', 'cashless_rate_amount',
        'cashless_rate_customers_strict', 'cashless_rate_bills_strict', 'cashless_rate_amount_strict',
        'on_time_rate', 'target', 'attainment'
    ] -%}
    {{ columns | join(', ') }}
{%- endmacro %}

{# How far two sides are apart, measure by measure, so that opposite errors do not cancel; a missing side is 0. #}
{% macro differences(measures, one, other) -%}
    coalesce(sum(
        {%- for measure in measures %}
        abs(coalesce({{ one }}.{{ measure }}, 0) - coalesce({{ other }}.{{ measure }}, 0)){{ ' +' if not loop.last }}
        {%- endfor %}
    ), 0)
{%- endmacro %}
