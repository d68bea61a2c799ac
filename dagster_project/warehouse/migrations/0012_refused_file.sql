-- Which refusals people still have to do something about.

alter table landing.file add column last_seen_at timestamptz;
update landing.file set last_seen_at = loaded_at;
alter table landing.file
alter column last_seen_at set default clock_timestamp(),
alter column last_seen_at set not null;
comment on column landing.file.last_seen_at is
'When this content was last found under its path with another time than before: loaded, or there once more.';

create view landing.refused_file as
select
    refused.file_id,
    refused.source,
    refused.path,
    refused.refused_reason,
    refused.loaded_at
from landing.file as refused
where
    refused.refused_reason is not null
    and not exists (
        select 1 from landing.file as later
        where
            later.path = refused.path
            and later.refused_reason is null
            and later.withdrawn_change is null
            and later.last_seen_at > refused.loaded_at
    );
comment on view landing.refused_file is
'One row per content that was refused and that nothing made up for: no other one of its path was found whole since, and nobody took
it back.';
