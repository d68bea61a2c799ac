-- What each raw table was last made like, so that a changed contract is noticed and its consequences are known.

create table landing.contract (
    source text collate "C" primary key,
    shape jsonb not null,
    applied_at timestamptz not null default clock_timestamp()
);
comment on table landing.contract is 'The contract that the table raw.<source> follows: one row per source.';
comment on column landing.contract.source is 'Source.';
comment on column landing.contract.shape is
'Key, version, money and rank column with its list, and each column with its form and whether it is required.';
comment on column landing.contract.applied_at is 'When the table was made, or last changed, to follow it.';
