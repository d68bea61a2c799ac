-- Campaigns, notices, phone numbers and counters: where their intermediate results stand, and what the settings ask of
-- a counter that is to close.
create schema outreach;
comment on schema outreach is 'dbt: what campaigns, notices and reviews led to, and whom a counter serves.';

create table reference.closure_gate (
    is_only_row boolean primary key default true check (is_only_row),
    cashless_rate numeric not null,
    notification_coverage numeric not null,
    phone_verified_rate numeric not null,
    feedback_open bigint not null
);
comment on table reference.closure_gate is
'One row: what a collection point must reach before it may close, as the settings said in the last run.';
comment on column reference.closure_gate.is_only_row is 'Keeps the table at one row.';
comment on column reference.closure_gate.cashless_rate is 'Least share of its customers who pay cashless.';
comment on column reference.closure_gate.notification_coverage is 'Least share of its customers who were told.';
comment on column reference.closure_gate.phone_verified_rate is 'Least share of its customers with a verified number.';
comment on column reference.closure_gate.feedback_open is 'Most complaints about the closure that may be open.';

-- What publications changed, and what people signed.
create table published.fct_bill_history (
    publication_id bigint not null,
    is_new boolean not null,
    bill_id text collate "C" not null,
    customer_key bigint not null,
    bill_type text collate "C" not null,
    bill_month date not null,
    commune_code text collate "C" not null,
    district_code text collate "C",
    power_unit_code text collate "C" not null,
    current_commune_code text collate "C" not null,
    is_in_scope boolean not null,
    total_vnd bigint not null,
    collected_vnd bigint not null,
    is_settled boolean not null,
    is_cashless boolean not null,
    is_cashless_strict boolean not null,
    settled_on date
);
alter table published.publication add column keeps_history boolean not null default false;
alter table published.publication alter column keeps_history drop default;
comment on column published.publication.keeps_history is
'Whether what it changed is in published.fct_bill_history; not where it made the table of bills anew.';
create index on published.fct_bill_history (publication_id, bill_month);
create index on published.fct_bill_history (bill_id);
comment on table published.fct_bill_history is
'Every bill that a publication changed, as it was before (not is_new) and after; of the first one nothing.';

create table published.fct_bill_cause (
    publication_id bigint not null,
    bill_id text collate "C" not null,
    source text collate "C" not null,
    file_id integer not null,
    line integer not null,
    is_withdrawn boolean not null,
    partner_code text collate "C",
    transaction_id text collate "C"
);
create index on published.fct_bill_cause (publication_id);
create index on published.fct_bill_cause (bill_id);
comment on table published.fct_bill_cause is
'Of every bill that a publication changed the rows of files that may have done it.';

create table published.sign_off (
    bill_month date not null,
    signed_at timestamptz not null default clock_timestamp(),
    signed_by text not null check (signed_by <> ''),
    note text,
    publication_id bigint not null references published.publication (publication_id),
    primary key (bill_month, signed_at)
);
comment on table published.sign_off is 'Months that somebody signed (chốt số liệu), by the publication they saw.';

create table published.signed_figure (
    bill_month date not null,
    signed_at timestamptz not null,
    table_name text collate "C" not null,
    geography text collate "C" not null,
    scope text collate "C" not null,
    code text collate "C" not null,
    figures jsonb not null,
    primary key (bill_month, signed_at, table_name, geography, scope, code),
    foreign key (bill_month, signed_at) references published.sign_off (bill_month, signed_at)
);
comment on table published.signed_figure is 'What was signed: the month''s rows of the four KPI tables, as they stood then.';

create table published.kpi_revision (
    publication_id bigint not null,
    table_name text collate "C" not null,
    bill_month date not null,
    geography text collate "C" not null,
    scope text collate "C" not null,
    code text collate "C" not null,
    column_name text collate "C" not null,
    old_value numeric,
    new_value numeric,
    files text [] not null default '{}',
    primary key (publication_id, table_name, bill_month, geography, scope, code, column_name)
);
comment on table published.kpi_revision is 'Append-only: figures of final or signed months that a publication changed.';

create view bi.kpi_revision as
select
    revision.publication_id,
    publication.published_at as revised_at,
    revision.table_name,
    revision.bill_month,
    revision.geography,
    revision.scope,
    revision.code,
    revision.column_name,
    revision.old_value,
    revision.new_value,
    revision.files
from published.kpi_revision as revision
inner join published.publication as publication on revision.publication_id = publication.publication_id;
comment on view bi.kpi_revision is
'Append-only: every change of customers_billed, customers_cashless or cashless_rate_customers (and their strict twins)
of a month that was final, or signed, when it was published.';
comment on column bi.kpi_revision.publication_id is 'The publication that changed the figure.';
comment on column bi.kpi_revision.revised_at is 'When the new value became visible.';
comment on column bi.kpi_revision.table_name is 'kpi_commune_month, kpi_district_month, kpi_power_unit_month or kpi_company_month.';
comment on column bi.kpi_revision.bill_month is 'Billing month of the figure.';
comment on column bi.kpi_revision.geography is 'as_recorded or current.';
comment on column bi.kpi_revision.scope is 'electricity or all.';
comment on column bi.kpi_revision.code is 'The unit''s code; COMPANY for the company.';
comment on column bi.kpi_revision.column_name is 'The figure.';
comment on column bi.kpi_revision.old_value is 'What was published before; empty if the row is new.';
comment on column bi.kpi_revision.new_value is 'What is published now; empty if the row is gone.';
comment on column bi.kpi_revision.files is
'The files whose loaded or withdrawn rows changed bills of the row, as far as bi.fct_bill_cause knows them; empty if models,
reference data or settings did.';

create view bi.fct_bill_history as
select
    history.publication_id,
    publication.published_at,
    history.is_new,
    history.bill_id,
    history.customer_key,
    history.bill_type,
    history.bill_month,
    history.commune_code,
    history.district_code,
    history.power_unit_code,
    history.current_commune_code,
    history.is_in_scope,
    history.total_vnd,
    history.collected_vnd,
    history.is_settled,
    history.is_cashless,
    history.is_cashless_strict,
    history.settled_on
from published.fct_bill_history as history
inner join published.publication as publication on history.publication_id = publication.publication_id;
comment on view bi.fct_bill_history is
'Every bill that a publication changed, as it was before (not is_new) and as it is from then on (is_new); a bill that
came has no row before, one that went none after. The first publication has none.';
comment on column bi.fct_bill_history.publication_id is 'The publication that changed the bill.';
comment on column bi.fct_bill_history.published_at is 'When that became visible.';
comment on column bi.fct_bill_history.is_new is 'Whether the row is what the bill became; else what it was.';

create view bi.fct_bill_cause as
select
    cause.publication_id,
    cause.bill_id,
    cause.source,
    file.path as file,
    cause.line,
    cause.is_withdrawn,
    cause.partner_code,
    cause.transaction_id
from published.fct_bill_cause as cause
inner join landing.file as file on cause.file_id = file.file_id;
comment on view bi.fct_bill_cause is
'Of every bill that a publication changed (bi.fct_bill_history) the rows of files that were loaded or withdrawn since the
publication before and may have done it: of the bill, of payments that pay or name it or reverse those, of its owner; and
of an owner with payments that name no bill all new ones. A bill without such a row was moved by a bill or payment of another
customer, a mandate, reference data, a setting or a model.';
comment on column bi.fct_bill_cause.publication_id is 'The publication that changed the bill.';
comment on column bi.fct_bill_cause.bill_id is 'The bill.';
comment on column bi.fct_bill_cause.source is 'bills, payments or customers.';
comment on column bi.fct_bill_cause.file is 'The file, as in bi.load_audit.';
comment on column bi.fct_bill_cause.line is 'The line of the row, as in bi.quarantine.';
comment on column bi.fct_bill_cause.is_withdrawn is 'Whether the row was taken back with its file; else it was loaded.';
comment on column bi.fct_bill_cause.partner_code is 'Of a payment or reversal its partner.';
comment on column bi.fct_bill_cause.transaction_id is 'Of a payment or reversal its transaction.';

create view bi.sign_off as
select
    bill_month,
    signed_at,
    signed_by,
    note,
    publication_id
from published.sign_off;
comment on view bi.sign_off is 'Months that somebody signed (chốt số liệu).';
comment on column bi.sign_off.bill_month is 'The month.';
comment on column bi.sign_off.signed_at is 'When it was signed.';
comment on column bi.sign_off.signed_by is 'By whom.';
comment on column bi.sign_off.note is 'What they wrote beside it.';
comment on column bi.sign_off.publication_id is 'The publication whose figures they signed.';

create view bi.signed_figure as
select
    bill_month,
    signed_at,
    table_name,
    geography,
    scope,
    code,
    figures
from published.signed_figure;
comment on view bi.signed_figure is 'What was signed: the month''s rows of the four KPI tables as they stood then.';
comment on column bi.signed_figure.bill_month is 'The month.';
comment on column bi.signed_figure.signed_at is 'The signature (bi.sign_off).';
comment on column bi.signed_figure.table_name is 'The KPI table.';
comment on column bi.signed_figure.geography is 'as_recorded or current.';
comment on column bi.signed_figure.scope is 'electricity or all.';
comment on column bi.signed_figure.code is 'The unit''s code; COMPANY for the company.';
comment on column bi.signed_figure.figures is 'The row, by column.';

alter table touched.change_window add column published_through integer;
comment on column touched.change_window.published_through is
'The last change that the published figures know, also where everything is made anew; null if nothing is published.';

-- Lists that people work from. Functions, because their bodies are read when they are asked: the views of bi come later
-- than this, and may be made anew.
set local check_function_bodies = off;

create function bi_private.cash_payers()
returns table (
    power_unit_code text, power_unit_name text, commune_code text, commune_name text,
    customer_code text, customer_name text, contract_no text, phone text, address text,
    last_bill_month date, bills bigint, bills_cashless bigint, bills_unsettled bigint, cash_channel_code text,
    has_auto_debit boolean, last_contacted_at timestamp, last_outcome text, last_employee_code text,
    is_phone_verified boolean, is_notified boolean
)
language sql stable
as $$
    select
        customer.power_unit_code, coalesce(unit.power_unit_name, customer.power_unit_code),
        paying.current_commune_code, coalesce(commune.commune_name, paying.current_commune_code),
        identity.customer_code, identity.customer_name, identity.contract_no, identity.phone, identity.address,
        paying.last_bill_month, paying.bills, paying.bills_cashless, paying.bills_unsettled, paying.cash_channel_code,
        paying.has_auto_debit, contact.contacted_at, contact.outcome, contact.employee_code,
        exists (
            select from bi.fct_phone_verification as verification
            where verification.customer_key = paying.customer_key and verification.verified_to is null
        ),
        exists (
            select from bi.fct_notification as notice
            where notice.customer_key = paying.customer_key and notice.is_closure_notice
        )
    from bi.fct_customer_paying as paying
    inner join bi.dim_customer as customer
        on paying.customer_key = customer.customer_key and customer.is_latest and customer.status = 'active'
    inner join bi_private.customer_identity as identity on paying.customer_key = identity.customer_key
    left join bi.dim_power_unit as unit on customer.power_unit_code = unit.power_unit_code
    left join bi.dim_commune as commune
        on paying.current_commune_code = commune.commune_code and commune.era = '2025h2'
    left join lateral (
        select latest.contacted_at, latest.outcome, latest.employee_code
        from bi.fct_campaign_contact as latest
        where latest.customer_key = paying.customer_key
        order by latest.contacted_at desc, latest.contact_id desc
        limit 1
    ) as contact on true
    where paying.is_paying_cash
$$;
comment on function bi_private.cash_payers() is
'Who still pays cash: active customers of whose three latest settled electricity bills one is not cashless. Personal.';

create view bi_private.cash_payer as select * from bi_private.cash_payers();
comment on view bi_private.cash_payer is
'Who still pays cash: active customers of whose three latest settled electricity bills one is not cashless; how, where, the
last contact and what came of it, whether the phone number is verified and whether they were told. Personal.';

create function bi_private.not_notified_customers()
returns table (
    collection_point_code text, collection_point_name text, planned_close_on date, closed_on date,
    commune_code text, customer_code text, customer_name text, contract_no text, phone text, address text,
    is_phone_verified boolean
)
language sql stable
as $$
    select
        point.collection_point_code, point.collection_point_name, point.planned_close_on, point.closed_on,
        served.commune_code, identity.customer_code, identity.customer_name, identity.contract_no, identity.phone,
        identity.address, served.is_phone_verified
    from bi.fct_counter_customer as served
    inner join bi.dim_collection_point as point on served.collection_point_code = point.collection_point_code
    inner join bi_private.customer_identity as identity on served.customer_key = identity.customer_key
    where
        coalesce(point.closed_on, point.planned_close_on) is not null
        and (point.closed_on is null or point.closed_on > (
            select publication.data_through from bi.publication as publication
            order by publication.publication_id desc limit 1
        ))
        -- Told at any time: who works with the list wants what is known now.
        and not exists (
            select from bi.fct_notification as notice
            where notice.customer_key = served.customer_key and notice.is_closure_notice
        )
$$;
comment on function bi_private.not_notified_customers() is
'Whom a counter that is open and to be closed serves and nobody has told that counters close. Personal.';

create view bi_private.not_notified_customer as select * from bi_private.not_notified_customers();
comment on view bi_private.not_notified_customer is
'Whom a counter that is open and to be closed (planned_close_on, or closed_on after the data) serves and nobody has told that
counters close. Personal.';
