-- The landing and raw rooms: the ledger of files, the quarantine of rows, and the functions that read a value.
-- The tables raw.<source> are not here: they are made from the contracts.

create table landing.file (
    file_id integer generated always as identity primary key,
    source text collate "C" not null,
    path text collate "C" not null,
    sha256 text collate "C" not null,
    size bigint not null,
    mtime_ns bigint not null,
    rows_in_file bigint not null,
    rows_loaded bigint not null,
    rows_duplicate bigint not null,
    rows_quarantined bigint not null,
    money_in_file_vnd bigint not null,
    money_loaded_vnd bigint not null,
    money_duplicate_vnd bigint not null,
    money_quarantined_vnd bigint not null,
    loaded_at timestamptz not null default clock_timestamp(),
    refused_reason text,
    content_of integer references landing.file (file_id),
    contract_fingerprint text not null,
    extra_columns text [] not null default '{}',
    notes text [] not null default '{}',
    unique (path, sha256),
    constraint every_row_is_accounted_for
    check (rows_in_file = rows_loaded + rows_duplicate + rows_quarantined),
    constraint every_dong_is_accounted_for
    check (money_in_file_vnd = money_loaded_vnd + money_duplicate_vnd + money_quarantined_vnd),
    constraint a_refused_file_has_no_rows
    check (refused_reason is null or (rows_in_file = 0 and money_in_file_vnd = 0))
);
create index on landing.file (source, sha256);
comment on table landing.file is 'The ledger: one row per path and content ever seen.';
comment on column landing.file.path is 'Path under the landing location, with the source folder.';
comment on column landing.file.sha256 is 'Hash of the bytes; empty if they could not be read to the end.';
comment on column landing.file.content_of is 'The file that brought this content first; this one was not read again.';
comment on column landing.file.contract_fingerprint is 'The contract by which the file was judged.';
comment on column landing.file.extra_columns is 'Columns of the file that the contract does not know.';
comment on column landing.file.notes is 'What else people should know: sheets that were not read, and the like.';

create table landing.quarantine (
    quarantine_id bigint generated always as identity primary key,
    file_id integer not null references landing.file (file_id),
    source text collate "C" not null,
    sheet text,
    line integer not null,
    column_name text collate "C",
    reason_codes text [] not null,
    reason text not null,
    raw text not null,
    raw_masked text not null,
    fields jsonb,
    extra jsonb,
    money bigint not null,
    status text collate "C" not null default 'open' check (status in ('open', 'repaired')),
    quarantined_at timestamptz not null default clock_timestamp(),
    checked_on date not null,
    contract_fingerprint text not null
);
create index on landing.quarantine (file_id);
create index on landing.quarantine (source) where status = 'open';
comment on table landing.quarantine is 'One row per row that a contract did not accept.';
comment on column landing.quarantine.column_name is 'First bad column in contract order; null: wrong number of fields.';
comment on column landing.quarantine.reason_codes is 'The kind of each fault, in contract order.';
comment on column landing.quarantine.raw is 'The row as it stands in the file.';
comment on column landing.quarantine.raw_masked is 'The same with everything personal hidden.';
comment on column landing.quarantine.fields is 'Contract column to text, to test the row again; null: wrong number of fields.';
comment on column landing.quarantine.extra is 'Columns that the contract does not know.';
comment on column landing.quarantine.money is 'Its amount in whole VND; 0 if there is none or it cannot be read.';
comment on column landing.quarantine.status is 'open, or repaired: it was tested again and is loaded now.';
comment on column landing.quarantine.checked_on is 'Day of the last test.';

create view bi.load_audit as
select
    source,
    path as file,
    sha256,
    rows_in_file,
    rows_loaded,
    rows_duplicate,
    rows_quarantined,
    money_in_file_vnd,
    money_loaded_vnd,
    money_duplicate_vnd,
    money_quarantined_vnd,
    loaded_at,
    refused_reason
from landing.file;
comment on view bi.load_audit is 'One row per path and content seen: what became of every row and đồng of a file.';
comment on column bi.load_audit.source is 'Source: the folder the file was in.';
comment on column bi.load_audit.file is 'Path under the landing location.';
comment on column bi.load_audit.sha256 is 'Hash of the content; empty if the file could not be read.';
comment on column bi.load_audit.rows_in_file is 'Rows of data: loaded + duplicate + quarantined.';
comment on column bi.load_audit.rows_loaded is 'Rows accepted for the first time.';
comment on column bi.load_audit.rows_duplicate is 'Rows equal to one accepted before.';
comment on column bi.load_audit.rows_quarantined is 'Rows in quarantine now.';
comment on column bi.load_audit.money_in_file_vnd is
'Sum of total_amount (bills) or amount (payments); 0 for other sources.';
comment on column bi.load_audit.money_loaded_vnd is 'The part of it in loaded rows.';
comment on column bi.load_audit.money_duplicate_vnd is 'The part of it in duplicate rows.';
comment on column bi.load_audit.money_quarantined_vnd is 'The part of it in quarantined rows.';
comment on column bi.load_audit.loaded_at is 'When the file was loaded or refused.';
comment on column bi.load_audit.refused_reason is 'Why nothing of the file was loaded; null if it was read.';

create view bi.quarantine as
select
    quarantine.source,
    file.path as file,
    quarantine.line,
    quarantine.column_name,
    quarantine.reason,
    quarantine.raw_masked as raw,
    quarantine.status,
    quarantine.quarantined_at
from landing.quarantine
inner join landing.file on quarantine.file_id = file.file_id;
comment on view bi.quarantine is 'One row per quarantined row; what is personal in it is hidden.';
comment on column bi.quarantine.source is 'Source: the folder the file was in.';
comment on column bi.quarantine.file is 'Path under the landing location.';
comment on column bi.quarantine.line is 'Line where the row begins, header included; sheet row in Excel, row in Parquet.';
comment on column bi.quarantine.column_name is 'First bad column; null: wrong number of fields.';
comment on column bi.quarantine.reason is 'What is wrong with the row.';
comment on column bi.quarantine.raw is 'The row as it stands in the file, personal values hidden.';
comment on column bi.quarantine.status is 'open, or repaired: tested again and loaded.';
comment on column bi.quarantine.quarantined_at is 'When the row went to quarantine.';

create view bi_private.quarantine as
select
    quarantine.source,
    file.path as file,
    quarantine.line,
    quarantine.column_name,
    quarantine.reason,
    quarantine.raw,
    quarantine.status,
    quarantine.quarantined_at
from landing.quarantine
inner join landing.file on quarantine.file_id = file.file_id;
comment on view bi_private.quarantine is 'bi.quarantine with the rows as they stand in the file: personal.';
comment on column bi_private.quarantine.source is 'Source: the folder the file was in.';
comment on column bi_private.quarantine.file is 'Path under the landing location.';
comment on column bi_private.quarantine.line is 'Line where the row begins, as in bi.quarantine.';
comment on column bi_private.quarantine.column_name is 'First bad column; null: wrong number of fields.';
comment on column bi_private.quarantine.reason is 'What is wrong with the row.';
comment on column bi_private.quarantine.raw is 'The row as it stands in the file.';
comment on column bi_private.quarantine.status is 'open, or repaired: tested again and loaded.';
comment on column bi_private.quarantine.quarantined_at is 'When the row went to quarantine.';

-- How a value is read. Every function takes trimmed text and gives null for what is not in its form, so a bad
-- value is: text there, result null. PostgreSQL's own casts are never the judge of the form (they take 'today',
-- 'infinity', '1_000'); a pattern is, and only then does the cast decide whether such a day exists.
-- The functions are single expressions that the planner inlines. Day before month comes from the session's
-- DateStyle (connection.py sets it), hence stable, not immutable.
-- The common forms come first and are judged without a pattern: LIKE fixes the places, and a value that reads
-- back as it was written has the canonical form. That is three times faster than a regular expression.

create function landing.as_date(value text) returns date stable parallel safe language sql as $$
select case
    when value like '____-__-__' and pg_input_is_valid(value, 'date')
        then case when value::date::text = value then value::date end
    when value ~ '^[0-9]{1,2}(/[0-9]{1,2}/|-[0-9]{1,2}-)[0-9]{4}$'
        then case when pg_input_is_valid(value, 'date') then value::date end
    -- an Excel serial: days since 1899-12-30
    when value ~ '^[0-9]{5}(\.0+)?$' then date '1899-12-30' + split_part(value, '.', 1)::integer
end
$$;
comment on function landing.as_date is 'A date: year-month-day, day/month/year, day-month-year or an Excel serial.';

create function landing.as_written_timestamp(value text) returns timestamp stable parallel safe language sql as $$
select case
    when value ~ ('^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}(/[0-9]{1,2}/|-[0-9]{1,2}-)[0-9]{4})'
        '(T| +)([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$')
        then case
            when pg_input_is_valid(replace(value, 'T', ' '), 'timestamp') then replace(value, 'T', ' ')::timestamp
        end
    when value ~ ('^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}(/[0-9]{1,2}/|-[0-9]{1,2}-)[0-9]{4})'
        '(T| +)([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?'
        ' *(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$')
        then case
            when pg_input_is_valid(replace(value, 'T', ' '), 'timestamptz')
                then replace(value, 'T', ' ')::timestamptz at time zone 'Asia/Ho_Chi_Minh'
        end
end
$$;
comment on function landing.as_written_timestamp is 'A date with a time and perhaps an offset, at most microseconds.';

create function landing.as_canonical_timestamp(value text) returns timestamp stable parallel safe language sql as $$
select case
    when pg_input_is_valid(value, 'timestamp')
        then case when value::timestamp::text = value then value::timestamp end
end
$$;
comment on function landing.as_canonical_timestamp is 'A timestamp exactly as PostgreSQL writes it.';

create function landing.as_timestamp(value text) returns timestamp stable parallel safe language sql as $$
select case
    when value like '____-__-__ __:__:__' then landing.as_canonical_timestamp(value)
    when value like '____-__-__T__:__:__' then landing.as_canonical_timestamp(replace(value, 'T', ' '))
    -- Vietnam has kept +07:00 since 1975; what is older is left to the time zone's rules below
    when value like '____-__-_____:__:__+07:00' and value collate "C" > '1976'
        then landing.as_canonical_timestamp(replace(left(value, 19), 'T', ' '))
    when value like '____-__-_____:__:__Z' and value collate "C" > '1976'
        then landing.as_canonical_timestamp(replace(left(value, 19), 'T', ' ')) + interval '7 hours'
    -- an Excel serial: days and their fraction
    when value ~ '^[0-9]{5}(\.[0-9]+)?$'
        then timestamp '1899-12-30' + make_interval(secs => round(value::numeric * 86400)::double precision)
    when strpos(value, '.') = 0 then landing.as_written_timestamp(value)
    -- what is finer than microseconds is cut: rounding could reach the next day
    else landing.as_written_timestamp(regexp_replace(value, '(\.[0-9]{6})[0-9]+', '\1'))
end
$$;
comment on function landing.as_timestamp is
'A local timestamp; one with an offset is converted, an Excel serial is rounded to the second.';

create function landing.as_date_or_timestamp(value text) returns timestamp stable parallel safe language sql as $$
select coalesce(landing.as_timestamp(value), landing.as_date(value)::timestamp)
$$;
comment on function landing.as_date_or_timestamp is 'A timestamp, or a date: its first moment.';

create function landing.as_month(value text) returns date stable parallel safe language sql as $$
select case
    when value like '____-__' and pg_input_is_valid(value || '-01', 'date')
        then case when (value || '-01')::date::text = value || '-01' then (value || '-01')::date end
    when value ~ '^(0?[1-9]|1[0-2])/[1-9][0-9]{3}$'
        then make_date(right(value, 4)::integer, split_part(value, '/', 1)::integer, 1)
end
$$;
comment on function landing.as_month is 'A month, as its first day.';

create function landing.as_grouped_money(value text) returns bigint immutable parallel safe language sql as $$
select case
    when value ~ '^-?[0-9]{1,15}$' then value::bigint
    when value ~ '^-?[0-9]{1,3}((\.[0-9]{3}){1,4}|(,[0-9]{3}){1,4}|([ \u00a0\u202f][0-9]{3}){1,4})$'
        then translate(value, U&'., \00a0\202f', '')::bigint
end
$$;
comment on function landing.as_grouped_money is 'Whole VND, perhaps grouped in threes by one of . , or space; at most 15 digits.';

create function landing.as_money(value text) returns bigint immutable parallel safe language sql as $$
select case
    when value ~ '^[0-9]+$' then case when length(value) <= 15 then value::bigint end
    else landing.as_grouped_money(
        regexp_replace(value, '(\.00?)?([ \u00a0\u202f]*([đĐ]|[vV][nN][dD]))?$', '')
    )
end
$$;
comment on function landing.as_money is 'Whole VND: digits, perhaps grouped, perhaps with .0 or .00 and đ or VND at the end.';

create function landing.as_decimal(value text) returns numeric immutable parallel safe language sql as $$
select case
    when value ~ '^[0-9]+$' then case when length(value) <= 15 then value::numeric end
    when value ~ '^-?[0-9]{1,15}(\.[0-9]{1,20})?$' then value::numeric
end
$$;
comment on function landing.as_decimal is 'A plain decimal number with a point.';

create function landing.as_small_integer(value text) returns smallint immutable parallel safe language sql as $$
select case when value ~ '^(0|[1-9][0-9]{0,3})(\.0+)?$' then split_part(value, '.', 1)::smallint end
$$;
comment on function landing.as_small_integer is 'A small whole number.';

create function landing.as_boolean(value text) returns boolean immutable parallel safe language sql as $$
select case
    when value in ('true', '1') then true
    when value in ('false', '0') then false
    when value ~ '^([tT][rR][uU][eE]|[cC][oOóÓ])$' then true
    when value ~ '^([fF][aA][lL][sS][eE]|[kK][hH][oOôÔ][nN][gG])$' then false
end
$$;
comment on function landing.as_boolean is 'true/false, 1/0, có/không.';

-- Not inlined: only numbers that are not yet in today's form come here.
create function landing.as_written_phone(value text, old_prefixes text [], new_prefixes text [])
returns text immutable parallel safe language plpgsql as $$
declare
    digits text := value;
begin
    -- a number that was a float somewhere on its way
    if digits ~ '^[0-9]{8,15}\.0+$' then
        digits := split_part(digits, '.', 1);
    elsif digits ~ '^[1-9](\.[0-9]{1,14})?[eE]\+?(0?[89]|1[0-4])$' then
        digits := trunc(digits::numeric)::text;
    end if;
    digits := regexp_replace(digits, '[ \u00a0\u202f.()-]', '', 'g');
    if digits ~ '^(\+|00)?840?[1-9][0-9]{8,9}$' then
        digits := regexp_replace(digits, '^(\+|00)?840?', '0');
    elsif digits ~ '^([35789][0-9]{8}|1[0-9]{9})$' then
        digits := '0' || digits;
    end if;
    if digits ~ '^01[0-9]{9}$' and left(digits, 4) = any (old_prefixes) then
        digits := new_prefixes[array_position(old_prefixes, left(digits, 4))] || substr(digits, 5);
    end if;
    return case when digits ~ '^0[35789][0-9]{8}$' then digits else value end;
end
$$;
comment on function landing.as_written_phone is
'Today''s ten digits of a mobile number in another form; what cannot be made that stays as it came.';

create function landing.as_phone(value text, old_prefixes text [], new_prefixes text [])
returns text immutable parallel safe language sql as $$
select case
    when value ~ '^0[35789][0-9]{8}$' then value
    else landing.as_written_phone(value, old_prefixes, new_prefixes)
end
$$;
comment on function landing.as_phone is
'A mobile number in today''s ten digits, if it can be brought to them; else the text as it came.';
