-- The four tables, from cells that are small by now. A cell is a month, scope and place with what the place means
-- in that month and today.
\set ON_ERROR_STOP on
set work_mem = '256MB';
set max_parallel_workers_per_gather = 0;

create unlogged table meaning as
select
    billed.place,
    month.first as bill_month,
    place.commune_code,
    case when month.era < 3 then coalesce(commune.district_code, place.commune_code) end as district_code,
    place.power_unit_code,
    place.current_commune_code
from (select distinct place from bill_cell) as billed
inner join month on month.number = billed.place >> 20
inner join place on place.place = billed.place & 1048575
left join commune on commune.era = month.era and commune.commune_code = place.commune_code;
analyze meaning;
analyze commune;
analyze month;

create unlogged table cell as
with part as (
    select
        scope, place,
        0::int8 as customers_billed, 0::int8 as customers_cashless, 0::int8 as customers_cashless_strict,
        0::int8 as customers_auto_debit, bills_issued, bills_settled, bills_cashless, bills_cashless_strict,
        bills_mixed, bills_unpaid, bills_partly_paid, amount_issued, amount_collected, amount_cashless,
        amount_cashless_strict, bills_on_time
    from bill_cell inner join (values ('electricity'), ('all')) as scopes (scope) on is_electricity or scope = 'all'
    union all
    select
        scope, place,
        case scope when 'all' then all_billed else electricity_billed end,
        case scope when 'all' then all_cashless else electricity_cashless end,
        case scope when 'all' then all_cashless_strict else electricity_cashless_strict end,
        case scope when 'all' then all_debit else electricity_debit end,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from customer_cell cross join (values ('electricity'), ('all')) as scopes (scope)
)
select
    bill_month, scope, commune_code, district_code, power_unit_code, current_commune_code,
    sum(customers_billed)::int8 as customers_billed,
    sum(customers_cashless)::int8 as customers_cashless,
    sum(customers_cashless_strict)::int8 as customers_cashless_strict,
    sum(customers_auto_debit)::int8 as customers_auto_debit,
    sum(bills_issued)::int8 as bills_issued,
    sum(bills_settled)::int8 as bills_settled,
    sum(bills_cashless)::int8 as bills_cashless,
    sum(bills_cashless_strict)::int8 as bills_cashless_strict,
    sum(bills_mixed)::int8 as bills_mixed,
    sum(bills_unpaid)::int8 as bills_unpaid,
    sum(bills_partly_paid)::int8 as bills_partly_paid,
    sum(amount_issued)::int8 as amount_issued_vnd,
    sum(amount_collected)::int8 as amount_collected_vnd,
    sum(amount_cashless)::int8 as amount_cashless_vnd,
    sum(amount_cashless_strict)::int8 as amount_cashless_strict_vnd,
    sum(bills_on_time)::int8 as bills_on_time
from part inner join meaning using (place)
group by 1, 2, 3, 4, 5, 6
having sum(bills_issued) > 0;

create unlogged table unit_month as
with unit as (
    select 'as_recorded' as geography, 'company' as level, 'COMPANY' as code, cell.* from cell
    union all select 'current', 'company', 'COMPANY', cell.* from cell
    union all select 'as_recorded', 'power_unit', power_unit_code, cell.* from cell
    union all select 'as_recorded', 'district', district_code, cell.* from cell where district_code is not null
    union all select 'as_recorded', 'commune', commune_code, cell.* from cell
    union all select 'current', 'commune', current_commune_code, cell.* from cell
)
select
    bill_month, geography, scope, level, code,
    sum(customers_billed)::int8 as customers_billed,
    sum(customers_cashless)::int8 as customers_cashless,
    sum(customers_cashless_strict)::int8 as customers_cashless_strict,
    sum(bills_issued)::int8 as bills_issued,
    sum(bills_settled)::int8 as bills_settled,
    sum(bills_cashless)::int8 as bills_cashless,
    sum(bills_cashless_strict)::int8 as bills_cashless_strict,
    sum(bills_mixed)::int8 as bills_mixed,
    sum(bills_unpaid)::int8 as bills_unpaid,
    sum(bills_partly_paid)::int8 as bills_partly_paid,
    sum(amount_issued_vnd)::int8 as amount_issued_vnd,
    sum(amount_collected_vnd)::int8 as amount_collected_vnd,
    sum(amount_cashless_vnd)::int8 as amount_cashless_vnd,
    sum(amount_cashless_strict_vnd)::int8 as amount_cashless_strict_vnd,
    sum(amount_issued_vnd - amount_collected_vnd)::int8 as amount_open_vnd,
    sum(bills_on_time)::int8 as bills_on_time,
    sum(customers_auto_debit)::int8 as customers_auto_debit
from unit
group by 1, 2, 3, 4, 5;
analyze unit_month;

-- Medians: the units a place counts in get numbers, so that bills per unit and number of days are counted quickly.
create unlogged table unit as
select row_number() over ()::int as unit, units.*
from (
    select distinct bill_month, geography, level, code from unit_month
    where geography = 'as_recorded' or level = 'commune'
) as units;
analyze unit;

create unlogged table membership as
select place, unit
from meaning
inner join unit
    on meaning.bill_month = unit.bill_month
    and unit.code = case
        when level = 'company' then 'COMPANY'
        when level = 'power_unit' then power_unit_code
        when level = 'district' then district_code
        when geography = 'as_recorded' then commune_code
        else current_commune_code
    end;
analyze membership;

create unlogged table median as
with ranked as (
    select
        *,
        sum(electricity) over days_before as electricity_rank,
        sum(electricity) over whole as electricity_settled,
        sum(bills) over days_before as all_rank,
        sum(bills) over whole as all_settled
    from (
        select
            unit, days, sum(bills)::int as bills,
            coalesce(sum(bills) filter (where is_electricity), 0)::int as electricity
        from days_cell inner join membership using (place)
        group by 1, 2
    ) as counted
    window whole as (partition by unit), days_before as (partition by unit order by days rows unbounded preceding)
),
middle as (
    select
        unit,
        min(days) filter (where 2 * electricity_rank >= electricity_settled) as electricity_low,
        min(days) filter (where 2 * electricity_rank >= electricity_settled + 2
            - electricity_settled % 2) as electricity_high,
        min(days) filter (where 2 * all_rank >= all_settled) as all_low,
        min(days) filter (where 2 * all_rank >= all_settled + 2 - all_settled % 2) as all_high,
        max(electricity_settled) as electricity_settled
    from ranked
    group by unit
),
scoped as (
    select unit, 'all' as scope, (all_low + all_high)::numeric / 2 as median_days_to_pay from middle
    union all
    select unit, 'electricity', (electricity_low + electricity_high)::numeric / 2 from middle
    where electricity_settled > 0
)
select bill_month, geography, scope, level, code, median_days_to_pay
from scoped inner join unit using (unit);
insert into median
select bill_month, 'current', scope, level, code, median_days_to_pay from median where level = 'company';
analyze median;

-- A commune's power unit: that of most of its billed customers, the smallest code on a tie.
create unlogged table leading_unit as
select distinct on (bill_month, geography, scope, code)
    bill_month, geography, scope, code, power_unit_code
from (
    select
        bill_month, 'as_recorded' as geography, scope, commune_code as code, power_unit_code,
        sum(customers_billed) as customers
    from cell
    group by 1, 2, 3, 4, 5
    union all
    select bill_month, 'current', scope, current_commune_code, power_unit_code, sum(customers_billed)
    from cell
    group by 1, 2, 3, 4, 5
) as counted
order by bill_month, geography, scope, code, customers desc, power_unit_code;

create unlogged table points as
with current_point as (
    select distinct on (collection_point_code) *
    from point_row
    order by
        collection_point_code, updated_at desc, name desc, operator desc, commune_code desc,
        serves_commune_codes desc, opened_on desc, planned_close_on desc nulls last, closed_on desc nulls last,
        authority_reported_on desc nulls last
),
-- The version of a day: the last one up to it, else the earliest; of equal times the greater by value.
day_version as (
    select distinct on (collection_point_code, updated_at::date)
        collection_point_code, commune_code, updated_at
    from point_row
    order by
        collection_point_code, updated_at::date, updated_at desc, name desc, operator desc, commune_code desc,
        serves_commune_codes desc, opened_on desc, planned_close_on desc nulls last, closed_on desc nulls last,
        authority_reported_on desc nulls last
),
earliest as (
    select distinct on (collection_point_code) collection_point_code, commune_code, updated_at
    from point_row
    order by
        collection_point_code, updated_at, name desc, operator desc, commune_code desc, serves_commune_codes desc,
        opened_on desc, planned_close_on desc nulls last, closed_on desc nulls last,
        authority_reported_on desc nulls last
),
span as (
    select
        collection_point_code, commune_code, updated_at, updated_at::date as holds_from,
        coalesce(
            lead(updated_at::date) over (partition by collection_point_code order by updated_at), date 'infinity'
        ) as holds_to
    from day_version
    union all
    select collection_point_code, commune_code, updated_at, date '-infinity', updated_at::date from earliest
),
located as (
    select
        month.first as bill_month,
        coalesce(recorded.code, 'UNRESOLVED') as commune_code,
        case when month.era < 3 then coalesce(commune.district_code, recorded.code, 'UNRESOLVED') end
            as district_code,
        coalesce(today.code, 'UNRESOLVED') as current_commune_code
    from current_point as point
    inner join (select distinct bill_month from cell) as billed on true
    inner join month on month.first = billed.bill_month
    inner join span
        on point.collection_point_code = span.collection_point_code
        and month.last >= span.holds_from and month.last < span.holds_to
    left join reading as recorded
        on span.commune_code = recorded.written_code and era_of(span.updated_at::date) = recorded.written_era
        and recorded.wanted_era = month.era
    left join reading as today
        on span.commune_code = today.written_code and era_of(span.updated_at::date) = today.written_era
        and today.wanted_era = 3
    left join commune on commune.era = month.era and commune.commune_code = recorded.code
    where operator = 'power_unit' and month.last >= opened_on and (closed_on is null or closed_on > month.last)
)
select bill_month, geography, null as scope, level, code, count(*) as collection_points_open
from (
    select 'as_recorded' as geography, 'company' as level, 'COMPANY' as code, bill_month from located
    union all select 'current', 'company', 'COMPANY', bill_month from located
    union all select 'as_recorded', 'district', district_code, bill_month from located
    where district_code is not null
    union all select 'as_recorded', 'commune', commune_code, bill_month from located
    union all select 'current', 'commune', current_commune_code, bill_month from located
) as unit_points
group by 1, 2, 3, 4, 5;
analyze leading_unit;
-- A power unit's counters stand in the communes it leads.
insert into points
select points.bill_month, 'as_recorded', leading_unit.scope, 'power_unit', power_unit_code,
    sum(collection_points_open)
from points
inner join leading_unit using (bill_month, geography, code)
where level = 'commune' and geography = 'as_recorded'
group by 1, 2, 3, 4, 5;

create unlogged table target as
select distinct on (bill_month, level, code) bill_month, level, code, target
from (
    select
        month.first as bill_month, current_target.level, current_target.target, current_target.updated_at,
        current_target.code as written_code,
        case when level = 'commune' then reading.code else current_target.code end as code
    from (
        select distinct on (month, level, code, metric) *
        from target_row
        order by month, level, code, metric, updated_at desc, target desc
    ) as current_target
    inner join month on current_target.month = month.label
    left join reading
        on current_target.code = reading.written_code and reading.written_era = month.era
        and reading.wanted_era = month.era
    where metric = 'cashless_rate_customers' and current_target.code not in ('UNRESOLVED', 'UNKNOWN')
) as mapped
where code <> 'UNRESOLVED'
order by bill_month, level, code, updated_at desc, target desc, written_code desc;

analyze points;
analyze target;

create view figures as
select
    unit_month.*,
    customers_cashless::numeric / nullif(customers_billed, 0) as cashless_rate_customers,
    bills_cashless::numeric / nullif(bills_issued, 0) as cashless_rate_bills,
    amount_cashless_vnd::numeric / nullif(amount_collected_vnd, 0) as cashless_rate_amount,
    customers_cashless_strict::numeric / nullif(customers_billed, 0) as cashless_rate_customers_strict,
    bills_cashless_strict::numeric / nullif(bills_issued, 0) as cashless_rate_bills_strict,
    amount_cashless_strict_vnd::numeric / nullif(amount_collected_vnd, 0) as cashless_rate_amount_strict,
    bills_on_time::numeric / nullif(bills_issued, 0) as on_time_rate,
    median_days_to_pay,
    coalesce(collection_points_open, 0) as collection_points_open,
    target,
    customers_cashless::numeric / nullif(customers_billed, 0) / nullif(target, 0) as attainment
from unit_month
left join median using (bill_month, geography, scope, level, code)
left join points
    on unit_month.bill_month = points.bill_month and unit_month.geography = points.geography
    and unit_month.level = points.level and unit_month.code = points.code
    and coalesce(points.scope, unit_month.scope) = unit_month.scope
left join target
    on unit_month.bill_month = target.bill_month and unit_month.level = target.level
    and unit_month.code = target.code and unit_month.scope = 'electricity'
    and unit_month.geography = 'as_recorded';

create unlogged table kpi_company_month as select * from figures where level = 'company';
alter table kpi_company_month drop column level, drop column code;

create unlogged table kpi_power_unit_month as
select figures.*, code as power_unit_code, coalesce(power_unit_name, code) as power_unit_name
from figures left join power_unit on code = power_unit.power_unit_code
where level = 'power_unit';
alter table kpi_power_unit_month drop column level, drop column code;

create unlogged table kpi_district_month as
select figures.*, figures.code as district_code, coalesce(district_name, figures.code) as district_name
from figures
left join (select distinct era, district_code, district_name from commune) as district
    on figures.code = district.district_code and district.era = era_of(figures.bill_month)
where level = 'district';
alter table kpi_district_month drop column level, drop column code;

create unlogged table kpi_commune_month as
select
    figures.*,
    figures.code as commune_code,
    coalesce(full_name, figures.code) as commune_name,
    case when geography = 'as_recorded' and bill_month < date '2025-07-01'
        then coalesce(district_code, figures.code) end as district_code,
    case when geography = 'as_recorded' and bill_month < date '2025-07-01'
        then coalesce(district_name, figures.code) end as district_name,
    leading_unit.power_unit_code
from figures
inner join leading_unit using (bill_month, geography, scope, code)
left join commune
    on figures.code = commune.commune_code
    and commune.era = case geography when 'current' then 3 else era_of(bill_month) end
where level = 'commune';
alter table kpi_commune_month drop column level, drop column code;
