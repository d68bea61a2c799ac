-- How far the pulls from databases have come. One row per file that a pull landed; the newest of a name is its state.

create table landing.pull (
    pull_id integer generated always as identity primary key,
    name text collate "C" not null,
    source text collate "C" not null,
    since text collate "C" not null,
    high_water text collate "C" not null,
    content text collate "C" not null,
    file text collate "C" not null,
    rows bigint not null check (rows > 0),
    pulled_at timestamptz not null default clock_timestamp()
);
create index on landing.pull (name, pull_id);
comment on table landing.pull is
'One row per file that a pull from a database landed. The newest row of a name says where the next pull begins; to pull
everything anew, delete the rows of the name.';
comment on column landing.pull.name is 'The pull, as its file in the overlay folder is called.';
comment on column landing.pull.since is 'What the query was asked for: :since.';
comment on column landing.pull.high_water is
'The greatest mark that is safe to go on from; the next :since is this less the overlap. It never goes back.';
comment on column landing.pull.content is 'Hash of the rows in any order: equal ones are not landed again.';
comment on column landing.pull.file is 'Path under the landing location.';
