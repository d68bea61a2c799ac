-- Rows in quarantine that a corrected row or file has made up for, and what tells which row that is.

alter table landing.quarantine
add column reason_vi text,
add column fault_columns text [] collate "C",
add column row_key text [] collate "C",
add column version_at timestamp,
add column repaired_by integer references landing.file (file_id),
add column repaired_at timestamptz,
add constraint only_what_is_repaired_has_a_repairer check (
    repaired_by is null or (status = 'repaired' and repaired_at is not null)
);
comment on column landing.quarantine.status is
'open; repaired: it was tested again and is loaded now (repaired_by is null), or a corrected row came instead of it
(repaired_by); withdrawn: with its file. What is open or has a repaired_by counts as quarantined in its file''s line.';
comment on column landing.quarantine.reason_vi is 'The reason in Vietnamese.';
comment on column landing.quarantine.fault_columns is
'The columns at fault; null: wrong number of fields, or not tested since it is noted.';
comment on column landing.quarantine.row_key is
'The key columns of the row as raw has them, as text; null: at least one of them is at fault.';
comment on column landing.quarantine.version_at is 'The version of the row; null: it is at fault.';
comment on column landing.quarantine.repaired_by is
'The file with the corrected row; null: the row is not repaired, or by itself.';
comment on column landing.quarantine.repaired_at is 'When it was repaired.';

-- New rows are looked up here (by hash: a bad row may have a key longer than a B-tree takes), and what a file that is
-- taken back has closed.
create index on landing.quarantine using hash (row_key) where status = 'open';
create index on landing.quarantine (repaired_by) where repaired_by is not null;

update landing.quarantine set repaired_at = checked_on::timestamp at time zone 'Asia/Ho_Chi_Minh'
where status = 'repaired';
-- The other reasons come with the next test: the rules have changed since.
update landing.quarantine
set reason_vi = regexp_replace(
    reason, '^wrong number of fields: ([0-9]+) instead of ([0-9]+)$', 'sai số trường: \1 thay vì \2'
)
where fields is null;

create or replace view bi.quarantine as
select
    quarantine.source,
    file.path as file,
    quarantine.line,
    quarantine.column_name,
    quarantine.reason,
    quarantine.raw_masked as raw,
    quarantine.status,
    quarantine.quarantined_at,
    quarantine.reason_vi,
    quarantine.repaired_at,
    repairer.path as repaired_by_file
from landing.quarantine
inner join landing.file on quarantine.file_id = file.file_id
left join landing.file as repairer on quarantine.repaired_by = repairer.file_id
where quarantine.status <> 'withdrawn';
comment on column bi.quarantine.status is
'open, or repaired: tested again and loaded, or a corrected row came in another line or file.';
comment on column bi.quarantine.reason_vi is 'What is wrong with the row, in Vietnamese.';
comment on column bi.quarantine.repaired_at is 'When it was repaired; null: it is open.';
comment on column bi.quarantine.repaired_by_file is
'The file with the corrected row; null: it is open, or the row itself passed a later test and is loaded.';

create or replace view bi_private.quarantine as
select
    quarantine.source,
    file.path as file,
    quarantine.line,
    quarantine.column_name,
    quarantine.reason,
    quarantine.raw,
    quarantine.status,
    quarantine.quarantined_at,
    quarantine.reason_vi,
    quarantine.repaired_at,
    repairer.path as repaired_by_file
from landing.quarantine
inner join landing.file on quarantine.file_id = file.file_id
left join landing.file as repairer on quarantine.repaired_by = repairer.file_id
where quarantine.status <> 'withdrawn';
comment on column bi_private.quarantine.status is 'open, or repaired, as in bi.quarantine.';
comment on column bi_private.quarantine.reason_vi is 'What is wrong with the row, in Vietnamese.';
comment on column bi_private.quarantine.repaired_at is 'When it was repaired; null: it is open.';
comment on column bi_private.quarantine.repaired_by_file is 'The file with the corrected row, as in bi.quarantine.';
comment on column bi.load_audit.rows_quarantined is
'Rows that were not accepted, also those for which a corrected row came in another line or file.';
