-- How the last attempts of each pull ended, also of those that landed nothing.

create table landing.pull_attempt (
    name text collate "C" not null,
    source text collate "C" not null,
    succeeded_at timestamptz,
    failed_at timestamptz,
    fault text,
    primary key (name, source),
    constraint a_failure_has_its_fault check ((failed_at is null) = (fault is null))
);
comment on table landing.pull_attempt is 'One row per pull that was made at least once. Where it has come to is in landing.pull.';
comment on column landing.pull_attempt.succeeded_at is 'When it last ended without a fault, with new rows or without.';
comment on column landing.pull_attempt.failed_at is 'When it last failed.';
comment on column landing.pull_attempt.fault is 'Why it last failed: no value of a row, no credentials.';
insert into landing.pull_attempt (name, source, succeeded_at)
select
    name,
    source,
    max(pulled_at)
from landing.pull group by name, source;
