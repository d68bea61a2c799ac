-- A decimal number has one written form: of equal rows with 0.7 and 0.70 the one that came first must not decide what
-- is published.

create or replace function landing.as_decimal(value text) returns numeric immutable parallel safe language sql as $$
select case
    when value ~ '^[0-9]+$' then case when length(value) <= 15 then value::numeric end
    when value ~ '^-?[0-9]{1,15}(\.[0-9]{1,20})?$' then trim_scale(value::numeric)
end
$$;
comment on function landing.as_decimal is 'A plain decimal number with a point, without zeros at its end.';

do $$
declare
    place record;
begin
    for place in
        select relname, attname
        from pg_class
        inner join pg_attribute on pg_class.oid = attrelid
        where
            relnamespace = 'raw'::regnamespace and relkind = 'r'
            and atttypid = 'numeric'::regtype and not attisdropped
        order by relname, attnum
    loop
        execute format(
            'update raw.%1$I set %2$I = trim_scale(%2$I) where scale(%2$I) <> min_scale(%2$I)',
            place.relname, place.attname
        );
    end loop;
end
$$;
