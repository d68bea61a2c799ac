-- What the operator declares: reference data beside the seeds, and which files are due. The tables hold the overlay's
-- files as they are now; a run brings them up to date before it loads anything.

-- dbt has made it already where there are seeds.
create schema if not exists reference;
comment on schema reference is 'The project''s own reference data (seeds), and the operator''s (overlay_…).';

create table reference.overlay (
    is_only_row boolean primary key default true check (is_only_row),
    files_fingerprint text not null,
    content_fingerprint text not null,
    notes text [] not null default '{}',
    loaded_at timestamptz not null default clock_timestamp()
);
insert into reference.overlay (files_fingerprint, content_fingerprint) values ('', '');
comment on table reference.overlay is 'One row: which state of the overlay''s files the tables overlay_… hold.';
comment on column reference.overlay.is_only_row is 'Keeps the table at one row.';
comment on column reference.overlay.files_fingerprint is
'Of the files'' bytes and the contracts they were read by; empty: none has been read.';
comment on column reference.overlay.content_fingerprint is
'Of the rows that figures are made from; another one makes everything anew. Empty: there are no rows.';
comment on column reference.overlay.notes is 'What people should know of the files: columns and sheets that are not used.';

create table reference.overlay_power_units (
    power_unit_code text collate "C" primary key,
    power_unit_name text collate "C" not null,
    district_code text collate "C"
);
comment on table reference.overlay_power_units is 'Power units of the operator''s overlay.';

create table reference.overlay_channels (
    channel_code text collate "C" primary key,
    channel_class text collate "C" not null,
    channel_name_vi text collate "C",
    channel_name_en text collate "C"
);
comment on table reference.overlay_channels is 'Payment channels of the operator''s overlay.';

create table reference.overlay_partners (
    partner_code text collate "C" primary key,
    partner_name_vi text collate "C" not null,
    partner_name_en text collate "C",
    kind text collate "C" not null
);
comment on table reference.overlay_partners is 'Partners of the operator''s overlay.';

create table reference.overlay_communes (
    commune_code text collate "C",
    era text collate "C",
    commune_name text collate "C" not null,
    commune_type text collate "C" not null,
    district_code text collate "C",
    district_name text collate "C",
    former_province_code text collate "C" not null,
    valid_from date,
    valid_to date,
    primary key (commune_code, era)
);
comment on table reference.overlay_communes is 'Communes of the operator''s overlay: more, or corrected.';

create table reference.overlay_commune_successions (
    from_era text collate "C",
    from_commune_code text collate "C",
    to_era text collate "C" not null,
    to_commune_code text collate "C",
    is_split boolean not null,
    effective_from date,
    legal_basis text collate "C",
    primary key (from_era, from_commune_code, to_commune_code)
);
comment on table reference.overlay_commune_successions is 'Successors of communes, of the operator''s overlay.';
comment on column reference.overlay_commune_successions.is_split is 'Whether the commune has several rows.';

create table reference.overlay_expected_files (
    expectation_code text collate "C" primary key,
    source text collate "C" not null,
    partner_code text collate "C",
    files text collate "C" not null,
    every text collate "C" not null check (every in ('day', 'working_day', 'month')),
    due_days smallint not null check (due_days >= 0),
    due_time time not null,
    valid_from date not null,
    valid_to date,
    path_regex text not null,
    year_group smallint,
    month_group smallint,
    day_group smallint,
    constraint a_date_has_a_year_and_a_month
    check ((year_group is null) = (month_group is null) and (day_group is null or year_group is not null))
);
comment on table reference.overlay_expected_files is 'Which files are due, of the operator''s overlay.';
comment on column reference.overlay_expected_files.path_regex is
'`files` as a regular expression for landing.file.path, source folder included.';
comment on column reference.overlay_expected_files.year_group is
'Which group of path_regex is the year; null: the name holds no date.';
comment on column reference.overlay_expected_files.month_group is 'Which group of path_regex is the month.';
comment on column reference.overlay_expected_files.day_group is 'Which group of path_regex is the day, if there is one.';

-- loaded_at moves when a file is read again, and whoever sent it was punctual all the same.
alter table landing.file add column seen_at timestamptz;
update landing.file set seen_at = loaded_at where seen_at is null;
alter table landing.file alter column seen_at set default clock_timestamp(), alter column seen_at set not null;
comment on column landing.file.seen_at is 'When this content was first seen under this path.';

create view bi.expected_file as
-- Every file that an expectation means. By expectation, so that each pattern is compiled once and looks at the files
-- of its source only.
with come as (
    select
        expected.expectation_code,
        expected.every,
        found.*
    from reference.overlay_expected_files as expected
    cross join lateral (
        select
            file.file_id,
            file.path,
            file.seen_at,
            file.refused_reason is not null as is_refused,
            case
                when expected.year_group is null
                    then (file.seen_at at time zone 'Asia/Ho_Chi_Minh')::date::text
                else
                    parts.texts[expected.year_group]
                    || '-' || parts.texts[expected.month_group]
                    || '-' || coalesce(parts.texts[expected.day_group], '01')
            end as day_text
        from landing.file
        cross join lateral regexp_match(file.path, expected.path_regex) as parts (texts)
        where
            file.source = expected.source
            and file.withdrawn_change is null
            and parts.texts is not null
        offset 0
    ) as found
),

-- A pattern takes 31 February too: such a name is for no day.
dated as (
    select
        come.*,
        case
            when pg_input_is_valid(day_text, 'date')
                then case when every = 'month' then date_trunc('month', day_text::date)::date else day_text::date end
        end as covers
    from come
),

-- The first that was taken; where none was, the first that was refused.
first_come as (
    select distinct on (expectation_code, covers)
        expectation_code,
        covers,
        path,
        seen_at,
        is_refused
    from dated
    where covers is not null
    order by expectation_code, covers, is_refused, seen_at, file_id
),

today as (
    select (now() at time zone 'Asia/Ho_Chi_Minh')::date as day
),

due as (
    select
        expected.expectation_code,
        expected.source,
        expected.partner_code,
        expected.files,
        period.first_day::date as covers,
        (
            case expected.every
                when 'day' then period.first_day::date + expected.due_days
                -- counted in working days: five of them take a week
                when 'working_day' then
                    period.first_day::date + expected.due_days
                    + 2 * ((extract(isodow from period.first_day)::integer - 1 + expected.due_days) / 5)
                when 'month' then
                    (period.first_day + interval '1 month' - interval '1 day')::date + expected.due_days
            end
            + expected.due_time
        ) at time zone 'Asia/Ho_Chi_Minh' as due_at
    from reference.overlay_expected_files as expected
    cross join today
    cross join lateral generate_series(
        case
            when expected.every = 'month' then date_trunc('month', expected.valid_from::timestamp)
            else expected.valid_from::timestamp
        end,
        least(expected.valid_to, today.day)::timestamp,
        case when expected.every = 'month' then interval '1 month' else interval '1 day' end
    ) as period (first_day)
    where expected.every <> 'working_day' or extract(isodow from period.first_day) < 6
)

select
    due.expectation_code,
    due.source,
    due.partner_code,
    due.files,
    due.covers,
    due.due_at,
    first_come.seen_at as arrived_at,
    first_come.path as file,
    case
        when first_come.is_refused then 'refused'
        when first_come.seen_at <= due.due_at then 'received'
        when first_come.seen_at > due.due_at then 'late'
        when now() > due.due_at then 'missing'
        else 'awaited'
    end as status
from due
left join first_come
    on due.expectation_code = first_come.expectation_code and due.covers = first_come.covers;
comment on view bi.expected_file is
'One row per expectation (overlay, expected_files) and day or month that it covers, up to today: has the file come?
It follows the loading and the clock, not the publication.';
comment on column bi.expected_file.expectation_code is 'Code of the expectation.';
comment on column bi.expected_file.source is 'Source that the file belongs to.';
comment on column bi.expected_file.partner_code is 'Partner that sends it; empty: the company itself.';
comment on column bi.expected_file.files is 'How the file is called: the pattern, under the folder of the source.';
comment on column bi.expected_file.covers is 'Day, or first day of the month, that the file is for.';
comment on column bi.expected_file.due_at is 'Up to when it is on time.';
comment on column bi.expected_file.arrived_at is 'When it was first seen in the landing by a run; empty: it has not come.';
comment on column bi.expected_file.file is
'The first such file that was taken (copies count), else the first that was refused; one that was taken back has not come.';
comment on column bi.expected_file.status is
'received; late: came after due_at; missing: due, and not come; refused: came, but nothing of it was loaded; awaited:
not due yet.';
