-- What a build has to make anew, and what it was based on: a run rebuilds what its new rows touch.
create schema touched;
comment on schema touched is 'dbt: the keys that a build touches, reads and makes anew.';

create schema delta;
comment on schema delta is 'dbt: the rows of facts and figures that a build makes anew; candidate shows them among those that stay.';

comment on schema candidate is 'dbt: dimensions, facts and KPI tables as they will be published, awaiting the audit.';

alter table bi_private.customer_key_secret
add column changes_through integer not null default -1;
comment on column bi_private.customer_key_secret.changes_through is
'Last change (landing.change) whose rows all have their customer_key; -1: all rows are to be looked through.';

create table touched.change_window (
    is_only_row boolean primary key default true check (is_only_row),
    is_full boolean not null,
    changes_after integer not null,
    reference_fingerprint text not null
);
insert into touched.change_window (is_full, changes_after, reference_fingerprint) values (true, -1, '');
comment on table touched.change_window is 'One row, written before a build: what it has to look at.';
comment on column touched.change_window.is_only_row is 'Keeps the table at one row.';
comment on column touched.change_window.is_full is 'Everything is made anew.';
comment on column touched.change_window.changes_after is
'Last change (landing.change) that the published figures know; newer ones are looked at.';
comment on column touched.change_window.reference_fingerprint is
'Of the models, seeds and expectations that the tables made of seeds alone were made by; empty while they are made.';

alter table audit.build
add column is_full boolean not null default true,
add column changes_through integer not null default 0,
add column based_on bigint references published.publication (publication_id);
comment on column audit.build.is_full is 'Whether everything was made anew.';
comment on column audit.build.changes_through is 'Last change (landing.change) that the build knows.';
comment on column audit.build.based_on is
'The publication whose rows it leaves where they are; only on top of this one it can be published.';
