{# The additive measures of the four KPI tables, in their published order: one list for every model that sums them. #}
{% macro kpi_measures() -%}
    {{ return([
        'customers_billed', 'customers_cashless', 'customers_cashless_strict',
        'bills_issued', 'bills_settled', 'bills_cashless', 'bills_cashless_strict', 'bills_mixed',
        'bills_unpaid', 'bills_partly_paid',
        'amount_issued_vnd', 'amount_collected_vnd', 'amount_cashless_vnd', 'amount_cashless_strict_vnd',
        'amount_open_vnd', 'bills_on_time', 'customers_auto_debit'
    ]) }}
{%- endmacro %}

{# Those of them that count one thing: customers_, bills_ or amount_. #}
{% macro kpi_measures_of(prefix) -%}
    {%- set found = [] -%}
    {%- for measure in kpi_measures() if measure.startswith(prefix) -%}
        {%- do found.append(measure) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# Measures added up, as whole numbers: sum(bigint) alone would be numeric. #}
{% macro sums(measures) -%}
    {%- for measure in measures %}
    sum({{ measure }})::bigint as {{ measure }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# All measures of a part that has only some of them: 0 for the others, so that parts can be added up. #}
{% macro measures_or_zero(given) -%}
    {%- for measure in kpi_measures() %}
    {{ '0 as ' if measure not in given }}{{ measure }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# A rate: numerator by denominator of the same row, null when there is nothing to divide by. #}
{% macro rate(numerator, denominator) -%}
    {{ numerator }}::numeric / nullif({{ denominator }}, 0)
{%- endmacro %}

{# The published columns that all four KPI tables share, from kpi_unit_month. #}
{% macro kpi_columns() -%}
    {%- for measure in kpi_measures() %}
    kpi.{{ measure }},
    {%- endfor %}
    {{ rate('kpi.customers_cashless', 'kpi.customers_billed') }} as cashless_rate_customers,
    {{ rate('kpi.bills_cashless', 'kpi.bills_issued') }} as cashless_rate_bills,
    {{ rate('kpi.amount_cashless_vnd', 'kpi.amount_collected_vnd') }} as cashless_rate_amount,
    {{ rate('kpi.customers_cashless_strict', 'kpi.customers_billed') }} as cashless_rate_customers_strict,
    {{ rate('kpi.bills_cashless_strict', 'kpi.bills_issued') }} as cashless_rate_bills_strict,
    {{ rate('kpi.amount_cashless_strict_vnd', 'kpi.amount_collected_vnd') }} as cashless_rate_amount_strict,
    {{ rate('kpi.bills_on_time', 'kpi.bills_issued') }} as on_time_rate,
    kpi.median_days_to_pay,
    kpi.collection_points_open,
    kpi.target,
    {{ rate('kpi.customers_cashless', 'kpi.customers_billed') }} / nullif(kpi.target, 0) as attainment
{%- endmacro %}
