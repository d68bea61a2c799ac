-- The rooms of the warehouse. Tables are made by later migrations and by the code that owns them.
create schema landing;
comment on schema landing is 'Ledger of files and quarantine of rows; the pipeline''s own bookkeeping.';

create schema raw;
comment on schema raw is 'Every accepted row of every file, typed, append-only.';

create schema staging;
comment on schema staging is 'dbt: the current version of every key.';

create schema settlement;
comment on schema settlement is 'dbt: net payments and what they pay.';

create schema candidate;
comment on schema candidate is 'dbt: dimensions, facts and KPI tables that await the audit.';

create schema audit;
comment on schema audit is 'dbt: one-row metrics tables, read by the quality gate.';

create schema published;
comment on schema published is 'The physical tables of the last good publication.';

create schema bi;
comment on schema bi is 'Views only: what BI tools read. Nothing personal.';

create schema bi_private;
comment on schema bi_private is 'Codes, names, unmasked quarantine: for named people only.';

create table landing.schema_version (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
);
comment on table landing.schema_version is 'One row per applied migration of this database.';
