{# The three eras of the administrative map; the names order as text, so `<` means earlier. #}
{% macro era_of(day) -%}
    case
        when {{ day }} < date '2025-01-01' then '2024'
        when {{ day }} < date '2025-07-01' then '2025h1'
        else '2025h2'
    end
{%- endmacro %}

{# Geography `current` is read on today's map. #}
{% macro current_era() -%} '2025h2' {%- endmacro %}

{# Districts were abolished on this day. #}
{% macro districts_until() -%} date '2025-07-01' {%- endmacro %}

{% macro month_end(month) -%} ({{ month }} + interval '1 month' - interval '1 day')::date {%- endmacro %}

{# The eras as rows of (era, first month, month after the last). #}
{% macro era_spans() -%}
    ('2024', '-infinity'::date, date '2025-01-01'),
    ('2025h1', date '2025-01-01', date '2025-07-01'),
    ('2025h2', date '2025-07-01', 'infinity'::date)
{%- endmacro %}

{# How many days a billing month's progress is followed. #}
{% macro progress_days() -%} 60 {%- endmacro %}
