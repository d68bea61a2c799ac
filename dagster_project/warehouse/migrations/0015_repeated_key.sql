-- Which rows of raw have a key that came before: the others are current without a look at any further row.

do $$
declare
    source text;
    key_columns text;
begin
    for source in
        select relname from pg_class where relnamespace = to_regnamespace('raw') and relkind = 'r' order by relname
    loop
        select string_agg(quote_ident(attname), ', ')
        into key_columns
        from pg_index
        inner join pg_class as index_class on indexrelid = index_class.oid
        inner join pg_attribute on attrelid = indrelid and attnum = any(indkey)
        where relnamespace = to_regnamespace('raw') and relname = source || '_key_idx';

        -- Where the key is not known every row may have one that came before.
        execute format(
            'alter table raw.%I add column is_key_repeated boolean not null default %L', source, key_columns is null
        );
        execute format('alter table raw.%I alter column is_key_repeated drop default', source);
        if key_columns is not null then
            execute format(
                'update raw.%1$I set is_key_repeated = true'
                ' where (%2$s) in (select %2$s from raw.%1$I group by %2$s having count(*) > 1)',
                source, key_columns
            );
        end if;
        execute format(
            'comment on column raw.%I.is_key_repeated is %L',
            source, 'Another row of its key came before; only the first row of a key has false.'
        );
    end loop;
end
$$;

-- Tables of models that are no more.
drop table if exists settlement.bill_place, settlement.named_allocation, settlement.net_payment;
