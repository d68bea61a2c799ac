-- Grain: one row per day, 2010 to 2035.
select
    day::date as date_day,
    date_trunc('month', day)::date as month,
    {{ era_of('day') }} as era,
    extract(year from day)::smallint as year,
    extract(quarter from day)::smallint as quarter,
    extract(isodow from day)::smallint as iso_weekday
from generate_series(date '2010-01-01', date '2035-12-31', interval '1 day') as days (day)
