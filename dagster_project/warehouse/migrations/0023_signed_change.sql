-- What was signed and is no longer so. A function, because its body is read when it is asked: the KPI views come later than
-- this, and may be made anew.
create function published.signed_changes()
returns table (
    bill_month date, signed_at timestamptz, table_name text, geography text, scope text, code text,
    column_name text, signed_value numeric, value_now numeric
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    if to_regclass('bi.kpi_company_month') is null then
        return;  -- nothing was published, so nothing signed
    end if;
    return query
    with latest as (
        select sign_off.bill_month, max(sign_off.signed_at) as signed_at
        from bi.sign_off as sign_off group by sign_off.bill_month
    ),
    signed as (
        select bill_month, table_name, geography, scope, code, figure.figures - '{status,data_through}'::text [] as figures
        from bi.signed_figure as figure inner join latest using (bill_month, signed_at)
    ),
    row_now as (
        select bill_month, 'kpi_company_month' as table_name, geography, scope, 'COMPANY' as code, to_jsonb(kpi) as figures
        from bi.kpi_company_month as kpi where bill_month in (select latest.bill_month from latest)
        union all
        select bill_month, 'kpi_power_unit_month', geography, scope, power_unit_code, to_jsonb(kpi)
        from bi.kpi_power_unit_month as kpi where bill_month in (select latest.bill_month from latest)
        union all
        select bill_month, 'kpi_district_month', geography, scope, district_code, to_jsonb(kpi)
        from bi.kpi_district_month as kpi where bill_month in (select latest.bill_month from latest)
        union all
        select bill_month, 'kpi_commune_month', geography, scope, commune_code, to_jsonb(kpi)
        from bi.kpi_commune_month as kpi where bill_month in (select latest.bill_month from latest)
    ),
    now as (
        select bill_month, table_name, geography, scope, code, figures - '{status,data_through}'::text [] as figures
        from row_now
    ),
    differing as (
        select bill_month, table_name, geography, scope, code, signed.figures as was, now.figures as became
        from signed full join now using (bill_month, table_name, geography, scope, code)
        where signed.figures is distinct from now.figures
    )
    select
        bill_month, latest.signed_at, table_name, geography, scope, code, figure.key,
        (was ->> figure.key)::numeric, (became ->> figure.key)::numeric
    from differing
    inner join latest using (bill_month)
    cross join lateral jsonb_object_keys(coalesce(was, became)) as figure (key)
    where
        -- A figure that only one of two rows has came or went with the software.
        (was is null or became is null or became ? figure.key)
        and 'number' in (jsonb_typeof(was -> figure.key), jsonb_typeof(became -> figure.key))
        and was -> figure.key is distinct from became -> figure.key;
end
$$;
comment on function published.signed_changes() is 'What bi.signed_change shows.';

create view bi.signed_change as select * from published.signed_changes();
comment on view bi.signed_change is
'Số liệu khác lúc chốt / Every figure of a signed month that is now another than in its latest signature, in all four KPI '
'tables; also of rows that have gone or come since. What was changed and changed back is not here.';
comment on column bi.signed_change.bill_month is 'Kỳ hóa đơn / The month.';
comment on column bi.signed_change.signed_at is 'Thời điểm chốt / The month''s latest signature (bi.sign_off).';
comment on column bi.signed_change.table_name is 'Bảng số liệu / The KPI table.';
comment on column bi.signed_change.geography is 'Cách xếp địa bàn / as_recorded or current.';
comment on column bi.signed_change.scope is 'Phạm vi / electricity or all.';
comment on column bi.signed_change.code is 'Mã đơn vị / The unit''s code; COMPANY for the company.';
comment on column bi.signed_change.column_name is 'Chỉ số / The figure.';
comment on column bi.signed_change.signed_value is 'Giá trị lúc chốt / What was signed; empty too if the row came since.';
comment on column bi.signed_change.value_now is 'Giá trị hiện nay / What is published now; empty too if the row has gone.';

comment on view bi.kpi_revision is
'Điều chỉnh số liệu chính thức, đã chốt / Append-only: every change of customers_billed, customers_cashless or '
'cashless_rate_customers (and their strict twins) of a month that was final, or signed, when it was published.';

comment on column bi.publication.checks_passed is
'Số kiểm tra đạt / Quality checks that passed, with those of severity info, which only record, whatever they found.';
comment on column bi.publication.checks_warned is 'Số kiểm tra cảnh báo / Checks of severity warning that failed.';
comment on column bi.publication.checks_failed is
'Số kiểm tra không đạt mức nghiêm trọng / Checks of severity critical that failed: they refuse a publication, unless '
'somebody forced it.';

-- What a withdrawn row said is looked up by its file and line.
create index on landing.withdrawn_row (file_id, line);
