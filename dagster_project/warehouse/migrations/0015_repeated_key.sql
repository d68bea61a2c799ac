-- Which rows of raw have a key that came before: the others are current without a look at any further row.

-- Of older rows it is not known: they are all looked at.
do $$
declare
    source text;
begin
    for source in
        select relname from pg_class where relnamespace = to_regnamespace('raw') and relkind = 'r' order by relname
    loop
        execute format('alter table raw.%I add column is_key_repeated boolean not null default true', source);
        execute format('alter table raw.%I alter column is_key_repeated drop default', source);
        execute format(
            'comment on column raw.%I.is_key_repeated is %L',
            source, 'Another row of its key came before; only the first row of a key has false.'
        );
    end loop;
end
$$;
