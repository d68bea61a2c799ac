-- Whose customers nobody has told: a power unit works through its own.
set local check_function_bodies = off;

create function bi_private.customers_not_notified()
returns table (
    collection_point_code text, collection_point_name text, planned_close_on date, closed_on date,
    commune_code text, customer_code text, customer_name text, contract_no text, phone text, address text,
    is_phone_verified boolean, power_unit_code text, power_unit_name text
)
language sql stable
as $$
    select
        point.collection_point_code, point.collection_point_name, point.planned_close_on, point.closed_on,
        served.commune_code, identity.customer_code, identity.customer_name, identity.contract_no, identity.phone,
        identity.address, served.is_phone_verified, customer.power_unit_code,
        coalesce(unit.power_unit_name, customer.power_unit_code)
    from bi.fct_counter_customer as served
    cross join (
        select publication.data_through from bi.publication as publication
        order by publication.publication_id desc limit 1
    ) as newest
    inner join bi.dim_collection_point as point on served.collection_point_code = point.collection_point_code
    inner join bi_private.customer_identity as identity on served.customer_key = identity.customer_key
    left join bi.dim_customer as customer
        on
            served.customer_key = customer.customer_key
            and customer.effective_from <= newest.data_through
            and (customer.effective_to is null or customer.effective_to > newest.data_through)
    left join bi.dim_power_unit as unit on customer.power_unit_code = unit.power_unit_code
    where
        coalesce(point.closed_on, point.planned_close_on) is not null
        and (point.closed_on is null or point.closed_on > newest.data_through)
        -- Told at any time: who works with the list wants what is known now.
        and not exists (
            select from bi.fct_notification as notice
            where notice.customer_key = served.customer_key and notice.is_closure_notice
        )
$$;
-- New columns come last, so that the view stays the one that people have rights on.
create or replace view bi_private.not_notified_customer as select * from bi_private.customers_not_notified();
drop function bi_private.not_notified_customers();
alter function bi_private.customers_not_notified() rename to not_notified_customers;
comment on function bi_private.not_notified_customers() is
'Whom a counter that is open and to be closed serves and nobody has told that counters close. Personal.';
comment on column bi_private.not_notified_customer.power_unit_code is
'Mã Điện lực / Code of the customer''s power unit on the last day of the data.';
comment on column bi_private.not_notified_customer.power_unit_name is
'Tên Điện lực / Name of the power unit; the code where the project does not know the unit.';
