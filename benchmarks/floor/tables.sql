-- The tables that files are copied into, and what is known without them: the map and its eras, months, channels.
-- Only columns that are reckoned with have a type that costs time to read.
-- Eras are numbers here: 1 = to 2024, 2 = first half of 2025, 3 = since 2025-07-01.
\set ON_ERROR_STOP on
create unlogged table bill_row (
    bill_id text, customer_code text, bill_type text, bill_month text, cycle text, issued_on date, due_on date,
    kwh text, amount_before_vat text, vat_amount text, total_amount int8, status text, replaced_by text,
    updated_at text
);
create unlogged table payment_row (
    partner_code text, transaction_id text, kind text, reverses_transaction_id text, channel_code text,
    customer_code text, bill_id text, amount int8, fee text, paid_at timestamp, partner_settled_on text,
    collection_point_code text
);
create unlogged table customer_row (
    customer_code text, effective_from date, customer_name text, contract_no text, phone text, address text,
    commune_code text, power_unit_code text, customer_type text, status text, updated_at text
);
create unlogged table mandate_row (
    mandate_id text, customer_code text, bank_code text, signed_on date, ended_on date, updated_at text
);
create unlogged table point_row (
    collection_point_code text, name text, operator text, commune_code text, serves_commune_codes text,
    opened_on date, planned_close_on date, closed_on date, authority_reported_on date, updated_at timestamp
);
create unlogged table target_row (month text, level text, code text, metric text, target numeric, updated_at text);

create unlogged table channel (channel_code text, channel_class text, name_vi text, name_en text);
create unlogged table power_unit (
    district_code text, name_2024 text, province_code text, n_2024 text, name_2025h1 text, n_2025h1 text,
    power_unit_code text, power_unit_name text
);
create unlogged table units_2024 (
    commune_code text, commune_name text, unit_type text, full_name text, district_code text, district_name text,
    province_code text, province_name text, valid_from text, valid_to text
);
create unlogged table units_2025h1 (like units_2024);
create unlogged table units_2025 (
    commune_code text, commune_name text, unit_type text, full_name text, province_code text, province_name text,
    former_province_code text, former_province_name text, area_km2 text, lat text, lon text, valid_from text,
    valid_to text, gso_note text
);
create unlogged table step_1 (
    old_code text, old_full_name text, old_district_code text, old_district_name text, new_code text,
    new_full_name text, new_district_code text, new_district_name text, change text, is_split boolean,
    effective_from text, legal_basis text
);
create unlogged table step_2 (
    old_code text, old_full_name text, old_district_code text, old_district_name text, new_code text,
    new_full_name text, is_split boolean, effective_from text, legal_basis text
);
\copy channel from program 'cat "$SEEDS"/channels.csv' (format csv, header)
\copy power_unit from program 'cat "$SEEDS"/districts_power_units_2024.csv' (format csv, header)
\copy units_2024 from program 'cat "$SEEDS"/admin_units_2024.csv' (format csv, header)
\copy units_2025h1 from program 'cat "$SEEDS"/admin_units_2025h1.csv' (format csv, header)
\copy units_2025 from program 'cat "$SEEDS"/admin_units_2025.csv' (format csv, header)
\copy step_1 from program 'cat "$SEEDS"/commune_mapping_2024_to_2025h1.csv' (format csv, header)
\copy step_2 from program 'cat "$SEEDS"/commune_mapping_2025.csv' (format csv, header)

create function era_of(day date) returns int language sql immutable
return case when day < date '2025-01-01' then 1 when day < date '2025-07-01' then 2 else 3 end;

-- A month's number has six bits in the packed keys: 63 months from the first one.
create unlogged table month as
select
    to_char(first, 'YYYY-MM') as label,
    number,
    first,
    (first + interval '1 month')::date - 1 as last,
    era_of(first) as era
from (
    select number, (:'first_month'::date + number * interval '1 month')::date as first
    from generate_series(0, 62) as number
) as months;

create unlogged table commune as
select 1 as era, commune_code, full_name, district_code, district_name from units_2024
union all
select 2, commune_code, full_name, district_code, district_name from units_2025h1
union all
select 3, commune_code, full_name, null, null from units_2025;

-- What a code written in one era means in the same or a later one; absent: UNRESOLVED.
create unlogged table reading as
with step as (
    select 1 as era, old_code, case when bool_or(is_split) then 'UNRESOLVED' else min(new_code) end as new_code
    from step_1 group by old_code
    union all
    select 2, old_code, case when bool_or(is_split) then 'UNRESOLVED' else min(new_code) end
    from step_2 group by old_code
),
path as (
    select era as from_era, commune_code as from_code, era as to_era, commune_code as to_code from commune
    union all
    select era, old_code, era + 1, new_code from step
    union all
    select 1, one.old_code, 3, two.new_code
    from step as one inner join step as two on one.era = 1 and two.era = 2 and one.new_code = two.old_code
),
written as (
    select commune_code, written.era, max(commune.era) as known_era
    from commune inner join generate_series(1, 3) as written (era) on commune.era <= written.era
    group by 1, 2
)
select written.commune_code as written_code, written.era as written_era, path.to_era as wanted_era, path.to_code as code
from written inner join path
    on written.commune_code = path.from_code and written.known_era = path.from_era and written.era <= path.to_era;
