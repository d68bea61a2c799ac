-- Which refusals people still have to do something about.

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
            and later.loaded_at > refused.loaded_at
    );
comment on view landing.refused_file is
'One row per content that was refused and that nothing made up for: no later one of its path was loaded, and nobody took
it back.';
