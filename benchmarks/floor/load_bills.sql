-- First session: everything but payments. Ends with `bill_read`: one narrow row per bill in scope.
\set ON_ERROR_STOP on
set work_mem = '256MB';
set max_parallel_workers_per_gather = 0;
\copy customer_row from program 'tail -q -n +2 customers/*.csv' (format csv)
\copy mandate_row from program 'tail -q -n +2 auto_debit_mandates/*.csv' (format csv)
\copy point_row from program 'tail -q -n +2 collection_points/*.csv' (format csv)
\copy target_row from program 'tail -q -n +2 targets/*.csv' (format csv)
\copy bill_row from program 'tail -q -n +2 bills/*.csv' (format csv)

-- Months with an active mandate, as bits.
create unlogged table debit as
select customer_code, bit_or(1::int8 << month.number) as months
from (
    select distinct on (mandate_id) *
    from mandate_row
    order by mandate_id, updated_at desc, customer_code desc, bank_code desc, signed_on desc, ended_on desc nulls last
) as mandate
inner join month on signed_on <= month.last and (ended_on is null or ended_on >= month.last)
group by 1;

create unlogged table version as
select
    customer_code,
    case when row_number() over versions = 1 then date '-infinity' else effective_from end as holds_from,
    coalesce(lead(effective_from) over versions, date 'infinity') as holds_to,
    commune_code,
    era_of(effective_from) as written_era,
    power_unit_code,
    last_value(commune_code) over whole as latest_code,
    last_value(era_of(effective_from)) over whole as latest_era
from (
    select distinct on (customer_code, effective_from) *
    from customer_row
    order by
        customer_code, effective_from, updated_at desc, status = 'closed' desc, customer_name desc,
        contract_no desc, phone desc nulls last, address desc nulls last, commune_code desc, power_unit_code desc,
        customer_type desc
) as current
window
    versions as (partition by customer_code order by effective_from),
    whole as (versions rows between unbounded preceding and unbounded following);

-- Where a customer counts in each era. A place is a number; 0 is nobody's.
create unlogged table written as
select
    written.*,
    coalesce(today.code, 'UNRESOLVED') as current_commune_code,
    row_number() over () as written
from (select distinct commune_code, written_era, power_unit_code, latest_code, latest_era from version) as written
left join reading as today on latest_code = written_code and latest_era = today.written_era and wanted_era = 3;
analyze written;

create unlogged table written_place as
select
    written, era, power_unit_code, current_commune_code,
    coalesce(reading.code, 'UNRESOLVED') as commune_code,
    (dense_rank() over (order by era, reading.code, power_unit_code, current_commune_code))::int as place
from written cross join generate_series(1, 3) as era
left join reading
    on written.commune_code = written_code and written.written_era = reading.written_era and wanted_era = era;

create unlogged table place as
select distinct place, commune_code, power_unit_code, current_commune_code from written_place
union all
select 0, 'UNKNOWN', 'UNKNOWN', 'UNKNOWN';

-- One row per customer and span of months: number, places and mandate.
create unlogged table customer as
select
    coalesce(version.customer_code, debit.customer_code) as customer_code,
    dense_rank() over (order by coalesce(version.customer_code, debit.customer_code))::int8 as number,
    coalesce(holds_from, date '-infinity') as holds_from,
    coalesce(holds_to, date 'infinity') as holds_to,
    coalesce(place_1, 0) as place_1,
    coalesce(place_2, 0) as place_2,
    coalesce(place_3, 0) as place_3,
    coalesce(debit.months, 0) as debit_months
from version
inner join (
    select
        written.commune_code, written_era, written.power_unit_code, latest_code, latest_era,
        max(place) filter (where era = 1) as place_1,
        max(place) filter (where era = 2) as place_2,
        max(place) filter (where era = 3) as place_3
    from written inner join written_place using (written)
    group by 1, 2, 3, 4, 5
) as place using (commune_code, written_era, power_unit_code, latest_code, latest_era)
full join debit on version.customer_code = debit.customer_code
where coalesce(holds_to, date 'infinity') > (select last from month where number = 0);
analyze customer;

-- Bills that came more than once (keys are 64-bit hashes), and the current row of each.
set enable_hashagg = off; -- sorting 64-bit numbers is quicker than hashing them
create unlogged table repeated_bill as
select bill from (select hashtextextended(bill_id, 0) as bill from bill_row) as bills
group by bill having count(*) > 1;
set enable_hashagg = on;
analyze repeated_bill;

create unlogged table current_repeated as
select distinct on (bill_id) bill_row.*
from bill_row inner join repeated_bill on hashtextextended(bill_id, 0) = bill
order by
    bill_id, updated_at desc, array_position(array['issued', 'cancelled', 'replaced'], status) desc,
    customer_code desc, bill_type desc, bill_month desc, cycle::int desc, issued_on desc, due_on desc,
    kwh::numeric desc nulls last, amount_before_vat::int8 desc, vat_amount::int8 desc, total_amount desc,
    replaced_by desc nulls last;

-- One narrow row per bill in scope; `key` is month, place and customer in one number.
create view bill_read as
select
    hashtextextended(row.bill_id, 0) as bill,
    (month.number::int8 << 52)
    | (coalesce(case era when 1 then place_1 when 2 then place_2 else place_3 end, 0)::int8 << 32)
    | coalesce(customer.number, (1::int8 << 30) | (hashtext(row.customer_code) & 1073741823)) as key,
    row.bill_type = 'electricity' as is_electricity,
    coalesce(customer.debit_months >> month.number & 1, 0) = 1 as has_debit,
    row.issued_on,
    row.due_on,
    row.total_amount::float8 as total
from (
    select * from bill_row
    where not exists (select from repeated_bill where bill = hashtextextended(bill_id, 0))
    union all
    select * from current_repeated
) as row
left join month on row.bill_month = month.label
left join customer
    on row.customer_code = customer.customer_code
    and month.last >= customer.holds_from and month.last < customer.holds_to
where row.status = 'issued' and row.total_amount > 0;
