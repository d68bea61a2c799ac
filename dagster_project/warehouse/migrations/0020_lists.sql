-- Lists that people work from tell the state on the last day of the data, not that of a version to come; how a bill was
-- paid in cash also where several channels paid it; and the power unit of whom nobody has told.
set local check_function_bodies = off;

create or replace function bi_private.cash_payers()
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
        paying.last_bill_month, paying.bills, paying.bills_cashless, paying.bills_unsettled,
        coalesce(paying.cash_channel_code, (
            -- The latest part that was not paid cashless.
            select part.channel_code
            from bi.fct_allocation as part
            where part.bill_id = paying.cash_bill_id and part.channel_class not in ('cashless', 'agent_cash')
            order by part.paid_on desc, part.channel_code
            limit 1
        )),
        paying.has_auto_debit, contact.contacted_at, contact.outcome, contact.employee_code,
        exists (
            select from bi.fct_phone_verification as verification
            where
                verification.customer_key = paying.customer_key
                and verification.verified_from <= newest.data_through
                and (verification.verified_to is null or verification.verified_to > newest.data_through)
        ),
        exists (
            select from bi.fct_notification as notice
            where notice.customer_key = paying.customer_key and notice.is_closure_notice
        )
    from bi.fct_customer_paying as paying
    cross join (
        select publication.data_through from bi.publication as publication
        order by publication.publication_id desc limit 1
    ) as newest
    inner join bi.dim_customer as customer
        on
            paying.customer_key = customer.customer_key
            and customer.status = 'active'
            and customer.effective_from <= newest.data_through
            and (customer.effective_to is null or customer.effective_to > newest.data_through)
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
'Who still pays cash: customers active on the last day of the data, of whose three latest electricity bills that are settled
or partly paid one was not paid cashless. Personal.';
comment on view bi_private.cash_payer is
'Who still pays cash: customers active on the last day of the data, of whose three latest electricity bills that are settled
or partly paid in cash one was not paid cashless; how, where, the last contact and what came of it, whether the phone number
is verified and whether they were told. Personal.';
