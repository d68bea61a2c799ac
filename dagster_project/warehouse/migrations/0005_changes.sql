-- The log of changes of raw: what came and what was taken back, so that a run knows what is new without looking
-- through the rows. Of the raw tables only those are touched here that are there already; the others are made
-- from the contracts as they are today.

create table landing.change (
    change_id integer generated always as identity primary key,
    kind text collate "C" not null check (kind in ('load', 'repair', 'unload', 'reload')),
    source text collate "C" not null,
    file_id integer not null references landing.file (file_id),
    rows_added bigint not null check (rows_added >= 0),
    rows_withdrawn bigint not null check (rows_withdrawn >= 0),
    changed_by text,
    reason text,
    changed_at timestamptz not null default clock_timestamp(),
    constraint only_people_withdraw check (rows_withdrawn = 0 or kind in ('unload', 'reload')),
    constraint people_have_names check ((changed_by is not null) = (kind in ('unload', 'reload')))
);
comment on table landing.change is
'One row per transaction that added rows to raw or withdrew some. The ids grow in the order of the commits: whoever
writes holds the run lock.';
comment on column landing.change.kind is
'load: a new file. repair: rows that left quarantine. unload, reload: a person took a file back, or had it read again.';
comment on column landing.change.file_id is 'The file that was loaded, repaired, taken back or read again.';
comment on column landing.change.rows_added is
'Rows that count now and did not before; also duplicates that count because the row they equal was withdrawn.';
comment on column landing.change.rows_withdrawn is 'Rows that counted and were withdrawn (landing.withdrawn_row).';
comment on column landing.change.changed_by is 'Who asked for it; null if a run did it by itself.';
comment on column landing.change.reason is 'Why, in that person''s words; may be empty.';

create table landing.withdrawn_row (
    change_id integer not null references landing.change (change_id),
    source text collate "C" not null,
    file_id integer not null,
    line integer not null,
    fields jsonb not null
);
create index on landing.withdrawn_row (change_id);
comment on table landing.withdrawn_row is 'The rows that were withdrawn from raw, whole, duplicates included.';
comment on column landing.withdrawn_row.change_id is 'The change that withdrew the row.';
comment on column landing.withdrawn_row.fields is
'All columns of raw.<source> by name; jsonb_populate_record(null::raw.<source>, fields) is the row again.';

alter table landing.file
add column paid_through timestamp,
add column withdrawn_change integer references landing.change (change_id),
add constraint a_withdrawn_file_has_no_rows check (
    withdrawn_change is null
    or (
        rows_in_file = 0
        and money_in_file_vnd = 0
        and refused_reason is null
        and content_of is null
        and paid_through is null
    )
);
comment on column landing.file.paid_through is
'The greatest paid_at of kind payment among its accepted rows; null if it has none, and for other sources.';
comment on column landing.file.withdrawn_change is
'The change that took the file back; null if it stands. It is not loaded again by itself.';

alter table landing.quarantine drop constraint quarantine_status_check;
alter table landing.quarantine
add constraint quarantine_status_check check (status in ('open', 'repaired', 'withdrawn'));
comment on column landing.quarantine.status is
'open; repaired: it was tested again and is loaded now; withdrawn: with its file.';

create or replace view bi.load_audit as
select
    file.source,
    file.path as file,
    file.sha256,
    file.rows_in_file,
    file.rows_loaded,
    file.rows_duplicate,
    file.rows_quarantined,
    file.money_in_file_vnd,
    file.money_loaded_vnd,
    file.money_duplicate_vnd,
    file.money_quarantined_vnd,
    file.loaded_at,
    coalesce(
        file.refused_reason,
        'withdrawn on ' || to_char(change.changed_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD')
        || ' by ' || change.changed_by || coalesce(': ' || nullif(change.reason, ''), '')
    ) as refused_reason
from landing.file
left join landing.change on file.withdrawn_change = change.change_id;
comment on column bi.load_audit.rows_loaded is 'Rows that count: accepted, and equal to no other that does.';
comment on column bi.load_audit.refused_reason is
'Why nothing of the file is loaded: refused, or withdrawn by whom and why; null if it is loaded.';

create or replace view bi.quarantine as
select
    quarantine.source,
    file.path as file,
    quarantine.line,
    quarantine.column_name,
    quarantine.reason,
    quarantine.raw_masked as raw,
    quarantine.status,
    quarantine.quarantined_at
from landing.quarantine
inner join landing.file on quarantine.file_id = file.file_id
where quarantine.status <> 'withdrawn';

create or replace view bi_private.quarantine as
select
    quarantine.source,
    file.path as file,
    quarantine.line,
    quarantine.column_name,
    quarantine.reason,
    quarantine.raw,
    quarantine.status,
    quarantine.quarantined_at
from landing.quarantine
inner join landing.file on quarantine.file_id = file.file_id
where quarantine.status <> 'withdrawn';

comment on schema raw is
'Every accepted row of every file that stands, typed. Rows of a withdrawn file are in landing.withdrawn_row.';

-- Rows from before the log: change 0, older than every change.
do $$
declare
    source text;
begin
    for source in
        select relname from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'r' order by relname
    loop
        execute format('alter table raw.%I add column change_id integer not null default 0', source);
        execute format('alter table raw.%I alter column change_id drop default', source);
        execute format(
            'create index %I on raw.%I using brin (change_id) with (pages_per_range = 32, autosummarize = on)',
            source || '_change_idx', source
        );
        execute format(
            'comment on column raw.%I.change_id is %L',
            source, 'Change with which the row came, or began to count (landing.change); 0: none, or before the log.'
        );
    end loop;
    if to_regclass('raw.payments') is not null then
        update landing.file set paid_through = newest.paid_at
        from (select file_id, max(paid_at) as paid_at from raw.payments where kind = 'payment' group by file_id) as newest
        where newest.file_id = file.file_id;
        update landing.file set paid_through = greatest(file.paid_through, original.paid_through)
        from landing.file as original
        where original.file_id = file.content_of;
    end if;
end
$$;
