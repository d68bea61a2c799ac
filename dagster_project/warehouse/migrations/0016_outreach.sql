-- Campaigns, notices, phone numbers and counters: where their intermediate results stand, and what the settings ask of
-- a counter that is to close.
create schema outreach;
comment on schema outreach is 'dbt: what campaigns, notices and reviews led to, and whom a counter serves.';

create table reference.closure_gate (
    is_only_row boolean primary key default true check (is_only_row),
    cashless_rate numeric not null,
    notification_coverage numeric not null,
    phone_verified_rate numeric not null,
    feedback_open bigint not null
);
comment on table reference.closure_gate is
'One row: what a collection point must reach before it may close, as the settings said in the last run.';
comment on column reference.closure_gate.is_only_row is 'Keeps the table at one row.';
comment on column reference.closure_gate.cashless_rate is 'Least share of its customers who pay cashless.';
comment on column reference.closure_gate.notification_coverage is 'Least share of its customers who were told.';
comment on column reference.closure_gate.phone_verified_rate is 'Least share of its customers with a verified number.';
comment on column reference.closure_gate.feedback_open is 'Most complaints about the closure that may be open.';
