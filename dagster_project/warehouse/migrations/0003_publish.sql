-- The publish room: what was built, what the gate said of it, and what was published.
-- The tables that carry the figures are not here: publish() makes them after their candidates.

create table audit.build (
    build_number bigint generated always as identity unique,
    build_id uuid primary key,
    built_at timestamptz not null default clock_timestamp(),
    input_fingerprint text not null,
    data_through date,
    final_after_days integer not null check (final_after_days >= 0),
    tests_passed integer not null check (tests_passed >= 0),
    tests_warned integer not null check (tests_warned >= 0),
    tests_failed integer not null check (tests_failed >= 0)
);
comment on table audit.build is 'One row per whole build of the candidate tables and the metrics.';
comment on column audit.build.tests_failed is 'dbt tests of severity error that failed: such a build is never published.';
comment on column audit.build.build_number is 'Order of the builds: the greatest is the newest.';
comment on column audit.build.input_fingerprint is 'Fingerprint of all that the build was made from.';
comment on column audit.build.data_through is 'Local date of the greatest paid_at of kind payment loaded.';
comment on column audit.build.final_after_days is
'A month is final when data_through is more than this many days after its last day.';

create table audit.build_table (
    build_id uuid not null references audit.build (build_id) on delete cascade,
    table_name text not null,
    relation_id oid not null,
    storage_id oid not null,
    row_count bigint not null,
    version_sum numeric not null,
    primary key (build_id, table_name)
);
comment on table audit.build_table is
'The state of each candidate and metrics table when its build ended. The gate and publishing compare it with what they
find.';
comment on column audit.build_table.table_name is 'With its schema: candidate.…, audit.metric_….';
comment on column audit.build_table.relation_id is 'OID of the table: another one after a rebuild.';
comment on column audit.build_table.storage_id is 'File of the table: another one after TRUNCATE or a rewrite.';
comment on column audit.build_table.row_count is 'Number of rows: another one after an insert or a delete.';
comment on column audit.build_table.version_sum is 'Sum of the rows'' xmin: another one after an update.';

create table audit.gate_result (
    gate_result_number bigint generated always as identity primary key,
    build_id uuid not null references audit.build (build_id) on delete cascade,
    is_passed boolean not null,
    checks_passed integer not null check (checks_passed >= 0),
    checks_warned integer not null check (checks_warned >= 0),
    checks_failed integer not null check (checks_failed >= 0),
    audited_at timestamptz not null default clock_timestamp()
);
create index on audit.gate_result (build_id);
comment on table audit.gate_result is 'What the quality gate said of a build; the newest row of a build counts.';

create table published.publication (
    publication_id bigint generated always as identity primary key,
    build_id uuid not null unique references audit.build (build_id),
    published_at timestamptz not null default clock_timestamp(),
    months date[] not null,
    data_through date,
    final_after_days integer not null,
    checks_passed integer not null,
    checks_warned integer not null,
    checks_failed integer not null
);
comment on table published.publication is 'One row per publication; the newest one dates what BI sees.';

create table published.bi_view (
    view_name text primary key,
    definition text not null
);
comment on table published.bi_view is
'The views of schema bi that publishing keeps, as it last defined them: an unchanged view is left alone.';

create view bi.publication as
select
    publication_id,
    published_at,
    months,
    data_through,
    checks_passed,
    checks_warned,
    checks_failed,
    build_id,
    final_after_days
from published.publication;
comment on view bi.publication is 'Every publication: when, which months changed, and what the gate said.';
comment on column bi.publication.publication_id is 'Number of the publication; the greatest is the newest.';
comment on column bi.publication.published_at is 'When its figures became visible.';
comment on column bi.publication.months is 'Months of which at least one published figure changed.';
comment on column bi.publication.data_through is 'Local date of the latest payment in these figures.';
comment on column bi.publication.checks_passed is 'Quality checks that passed.';
comment on column bi.publication.checks_warned is 'Quality checks that failed as a warning.';
comment on column bi.publication.checks_failed is 'Quality checks that failed; critical ones would have refused it.';
comment on column bi.publication.build_id is 'The audited build that was published.';
comment on column bi.publication.final_after_days is
'A month is final when data_through is more than this many days after its last day.';
