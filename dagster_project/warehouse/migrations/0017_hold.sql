-- Who holds publications back, and who let one out against the gate.
create table published.hold (
    held_at timestamptz primary key default clock_timestamp(),
    held_by text not null check (held_by <> ''),
    reason text not null check (reason <> ''),
    released_at timestamptz,
    released_by text check (released_by <> ''),
    release_reason text,
    constraint a_release_has_a_name check ((released_at is null) = (released_by is null))
);
create unique index one_hold_at_a_time on published.hold ((true)) where released_at is null;
comment on table published.hold is 'Spans of time in which nothing was, or is, published because somebody said so.';
comment on column published.hold.held_at is 'Since when.';
comment on column published.hold.held_by is 'By whom.';
comment on column published.hold.reason is 'Why, in that person''s words.';
comment on column published.hold.released_at is 'Until when; null: it still holds.';
comment on column published.hold.released_by is 'Who ended it.';
comment on column published.hold.release_reason is 'Why, in that person''s words; may be empty.';

alter table published.publication add column forced_by text;
alter table published.publication add column forced_reason text;
alter table published.publication add constraint a_forced_one_says_why
check ((forced_by is null) = (forced_reason is null) and forced_by <> '' and forced_reason <> '');

create or replace view bi.publication as
select
    publication_id,
    published_at,
    months,
    data_through,
    checks_passed,
    checks_warned,
    checks_failed,
    build_id,
    final_after_days,
    forced_by,
    forced_reason
from published.publication;
comment on column bi.publication.forced_by is
'Who published it although critical checks had failed (checks_failed); empty: it passed.';
comment on column bi.publication.forced_reason is 'Why, in that person''s words.';

create view bi.hold as
select
    held_at,
    held_by,
    reason,
    released_at,
    released_by,
    release_reason
from published.hold;
comment on view bi.hold is 'Spans of time in which nothing was, or is, published because somebody said so.';
comment on column bi.hold.held_at is 'Since when.';
comment on column bi.hold.held_by is 'By whom.';
comment on column bi.hold.reason is 'Why, in that person''s words.';
comment on column bi.hold.released_at is 'Until when; empty: it still holds.';
comment on column bi.hold.released_by is 'Who ended it.';
comment on column bi.hold.release_reason is 'Why, in that person''s words.';
