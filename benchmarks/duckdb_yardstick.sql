-- The four KPI tables by DuckDB, from the same files: what another engine takes for the same figures. Written as one
-- would by hand, without checks. Variables: landing and seeds (folders). Eras are numbers: 1 = to 2024, 2 = first half
-- of 2025, 3 = since 2025-07-01.
create macro era_of(day) as case when day < date '2025-01-01' then 1 when day < date '2025-07-01' then 2 else 3 end;
create macro last_of(month) as (month + interval 1 month)::date - 1;
create macro seed(name) as table
select * from read_csv(getvariable('seeds') || '/' || name || '.csv', header = true, all_varchar = true);

-- The files. Only columns that are reckoned with get a type.
create table bill_row as
select * replace ((bill_month || '-01')::date as bill_month)
from read_csv(
    getvariable('landing') || '/bills/*.csv', header = true, all_varchar = true,
    types = {'issued_on': 'date', 'due_on': 'date', 'total_amount': 'bigint'}
);
create table payment_row as
select *
from read_csv(
    getvariable('landing') || '/payments/*.csv', header = true, all_varchar = true,
    types = {'amount': 'bigint', 'paid_at': 'timestamp'}
);
create table customer_row as
select *
from read_csv(
    getvariable('landing') || '/customers/*.csv', header = true, all_varchar = true, types = {'effective_from': 'date'}
);
create table mandate_row as
select *
from read_csv(
    getvariable('landing') || '/auto_debit_mandates/*.csv', header = true, all_varchar = true,
    types = {'signed_on': 'date', 'ended_on': 'date'}
);
create table point_row as
select *
from read_csv(
    getvariable('landing') || '/collection_points/*.csv', header = true, all_varchar = true,
    types = {'opened_on': 'date', 'closed_on': 'date', 'updated_at': 'timestamp'}
);
create table target_row as
select * replace ((month || '-01')::date as month)
from read_csv(getvariable('landing') || '/targets/*.csv', header = true, all_varchar = true, types = {'target': 'double'});

-- The map: names of communes by era, and what a code written in one era means in the same or a later one.
create table commune as
select 1 as era, commune_code, full_name, district_code, district_name from seed('admin_units_2024')
union all
select 2, commune_code, full_name, district_code, district_name from seed('admin_units_2025h1')
union all
select 3, commune_code, full_name, null, null from seed('admin_units_2025');

create table reading as
with step as (
    select 1 as era, old_code, case when bool_or(is_split = 'true') then 'UNRESOLVED' else min(new_code) end as new_code
    from seed('commune_mapping_2024_to_2025h1')
    group by old_code
    union all
    select 2, old_code, case when bool_or(is_split = 'true') then 'UNRESOLVED' else min(new_code) end
    from seed('commune_mapping_2025')
    group by old_code
),
path as (
    select era as from_era, commune_code as from_code, era as to_era, commune_code as to_code from commune
    union all
    select era, old_code, era + 1, new_code from step
    union all
    select 1, one.old_code, 3, two.new_code
    from step as one inner join step as two on one.era = 1 and two.era = 2 and one.new_code = two.old_code
),
written as (
    select commune_code, written.era, max(commune.era) as known_era
    from commune inner join (select unnest([1, 2, 3]) as era) as written on commune.era <= written.era
    group by 1, 2
)
select written.commune_code as written_code, written.era as written_era, path.to_era as wanted_era, path.to_code as code
from written
inner join path
    on written.commune_code = path.from_code and written.known_era = path.from_era and written.era <= path.to_era;

-- Customers: versions, and where each counts in each era.
create table place as
with current_row as (
    select * from customer_row
    qualify row_number() over (
        partition by customer_code, effective_from
        order by
            updated_at desc, status = 'closed' desc, customer_name desc, contract_no desc, phone desc nulls last,
            address desc nulls last, commune_code desc, power_unit_code desc, customer_type desc
    ) = 1
),
version as (
    select
        customer_code,
        case when row_number() over versions = 1 then date '-infinity' else effective_from end as holds_from,
        coalesce(lead(effective_from) over versions, date 'infinity') as holds_to,
        commune_code,
        era_of(effective_from) as written_era,
        power_unit_code,
        last_value(commune_code) over whole as latest_code,
        last_value(era_of(effective_from)) over whole as latest_era
    from current_row
    window
        versions as (partition by customer_code order by effective_from),
        whole as (
            partition by customer_code order by effective_from
            rows between unbounded preceding and unbounded following
        )
)
select
    version.customer_code,
    holds_from,
    holds_to,
    era.era,
    coalesce(recorded.code, 'UNRESOLVED') as commune_code,
    case when era.era < 3 then coalesce(commune.district_code, recorded.code, 'UNRESOLVED') end as district_code,
    power_unit_code,
    coalesce(today.code, 'UNRESOLVED') as current_commune_code
from version
cross join (select unnest([1, 2, 3]) as era) as era
left join reading as recorded
    on version.commune_code = recorded.written_code and version.written_era = recorded.written_era
    and era.era = recorded.wanted_era
left join reading as today
    on version.latest_code = today.written_code and version.latest_era = today.written_era and today.wanted_era = 3
left join commune on commune.era = era.era and commune.commune_code = recorded.code;

-- Bills: the current row of each, in scope.
create table bill as
with repeated as (select bill_id from bill_row group by bill_id having count(*) > 1),
current_row as (
    from bill_row anti join repeated using (bill_id)
    union all
    (
        from bill_row semi join repeated using (bill_id)
        qualify row_number() over (
            partition by bill_id
            order by
                updated_at desc, list_position(['issued', 'cancelled', 'replaced'], status) desc, customer_code desc,
                bill_type desc, bill_month desc, cycle::int desc, issued_on desc, due_on desc,
                kwh::decimal(18, 6) desc nulls last, amount_before_vat::bigint desc, vat_amount::bigint desc,
                total_amount desc, replaced_by desc nulls last
        ) = 1
    )
)
select
    bill_id, customer_code, bill_type = 'electricity' as is_electricity, bill_month, issued_on, due_on,
    total_amount as total
from current_row
where status = 'issued' and total_amount > 0;

create table debit as
select distinct mandate.customer_code, month.bill_month
from (
    select * from mandate_row
    qualify row_number() over (
        partition by mandate_id
        order by updated_at desc, customer_code desc, bank_code desc, signed_on desc, ended_on desc nulls last
    ) = 1
) as mandate
inner join (select distinct bill_month from bill) as month
    on signed_on <= last_of(bill_month) and (ended_on is null or ended_on >= last_of(bill_month));

-- Payments: net amounts. Only repeated transactions, reversals and what they reverse need care.
create table net_payment as
with special as (
    select partner_code, transaction_id from payment_row group by 1, 2 having count(*) > 1
    union
    select partner_code, transaction_id from payment_row where kind = 'reversal'
    union
    select partner_code, reverses_transaction_id from payment_row where kind = 'reversal'
),
suspect as (from payment_row semi join special using (partner_code, transaction_id)),
conflict as (
    select partner_code, transaction_id from suspect group by 1, 2
    having min(kind) <> max(kind) or min(customer_code) <> max(customer_code) or min(amount) <> max(amount)
),
current_row as (
    from suspect anti join conflict using (partner_code, transaction_id)
    qualify row_number() over (
        partition by partner_code, transaction_id
        order by
            paid_at desc, reverses_transaction_id desc nulls last, channel_code desc nulls last,
            bill_id desc nulls last, fee::bigint desc nulls last, partner_settled_on desc nulls last,
            collection_point_code desc nulls last
    ) = 1
),
reversed as (
    select partner_code, reverses_transaction_id as transaction_id, sum(amount)::bigint as amount
    from current_row
    where kind = 'reversal'
    group by 1, 2
),
net as (
    select partner_code, transaction_id, customer_code, bill_id, channel_code, paid_at, amount
    from payment_row anti join special using (partner_code, transaction_id)
    union all
    select
        partner_code, transaction_id, customer_code, bill_id, channel_code, paid_at,
        current_row.amount - coalesce(reversed.amount, 0)
    from current_row left join reversed using (partner_code, transaction_id)
    where kind = 'payment' and current_row.amount > coalesce(reversed.amount, 0)
)
select
    net.* exclude (channel_code),
    case when channel_class in ('cashless', 'agent_cash') then amount else 0 end as cashless,
    case when channel_class = 'cashless' then amount else 0 end as strict
from net left join seed('channels') as channel using (channel_code);

-- Bills with what their named payments offer; those that are offered too much are settled in order.
create table offered as
with paid as (
    select
        bill_id, sum(amount)::bigint as collected, sum(cashless)::bigint as cashless, sum(strict)::bigint as strict,
        max(paid_at)::date as last_paid_on
    from net_payment
    where bill_id is not null
    group by bill_id
)
select
    bill.*, coalesce(collected, 0) as collected, coalesce(cashless, 0) as cashless, coalesce(strict, 0) as strict,
    last_paid_on
from bill left join paid using (bill_id);

create table named as
with taken as (
    select
        bill_id, amount as offer, cashless, strict, paid_at,
        least(amount, total - coalesce(sum(amount) over (
            partition by bill_id order by paid_at, partner_code, transaction_id
            rows between unbounded preceding and 1 preceding
        ), 0))::bigint as part
    from net_payment
    inner join (select bill_id, total from offered where collected > total) as excess using (bill_id)
),
share as (
    select
        bill_id, sum(part)::bigint as collected,
        coalesce(sum(part) filter (where cashless > 0), 0)::bigint as cashless,
        coalesce(sum(part) filter (where strict > 0), 0)::bigint as strict, max(paid_at)::date as last_paid_on
    from taken
    where part > 0
    group by bill_id
)
select offered.* replace (
    coalesce(share.collected, offered.collected) as collected,
    coalesce(share.cashless, offered.cashless) as cashless,
    coalesce(share.strict, offered.strict) as strict,
    coalesce(share.last_paid_on, offered.last_paid_on) as last_paid_on
)
from offered left join share using (bill_id);

-- Payments without a bill and their customers' open bills, laid end to end: one pays the other where they overlap.
create table settled as
with paying as (
    select
        customer_code, cashless, strict, paid_at, amount,
        sum(amount) over (
            partition by customer_code order by paid_at, partner_code, transaction_id rows unbounded preceding
        ) as paid_to
    from net_payment
    where bill_id is null
),
owed as (
    select
        bill_id, customer_code, total - collected as open,
        sum(total - collected) over (
            partition by customer_code order by due_on, bill_id rows unbounded preceding
        ) as owed_to
    from named semi join paying using (customer_code)
    where total > collected
),
taken as (
    select
        bill_id, cashless, strict, paid_at,
        (least(owed_to, paid_to) - greatest(owed_to - open, paid_to - amount))::bigint as part
    from owed inner join paying
        on owed.customer_code = paying.customer_code and owed_to > paid_to - amount and paid_to > owed_to - open
),
share as (
    select
        bill_id, sum(part)::bigint as collected,
        coalesce(sum(part) filter (where cashless > 0), 0)::bigint as cashless,
        coalesce(sum(part) filter (where strict > 0), 0)::bigint as strict, max(paid_at)::date as last_paid_on
    from taken
    group by bill_id
)
select
    named.customer_code,
    named.is_electricity,
    named.bill_month,
    named.due_on,
    named.total,
    named.collected + coalesce(share.collected, 0) as collected,
    named.cashless + coalesce(share.cashless, 0) as cashless,
    named.strict + coalesce(share.strict, 0) as strict,
    greatest(named.last_paid_on, share.last_paid_on) as last_paid_on,
    greatest(greatest(named.last_paid_on, share.last_paid_on) - named.issued_on, 0) as days,
    debit.customer_code is not null as has_debit,
    coalesce(place.commune_code, 'UNKNOWN') as commune_code,
    case
        when place.customer_code is null and named.bill_month < date '2025-07-01' then 'UNKNOWN'
        else place.district_code
    end as district_code,
    coalesce(place.power_unit_code, 'UNKNOWN') as power_unit_code,
    coalesce(place.current_commune_code, 'UNKNOWN') as current_commune_code
from named
left join share using (bill_id)
left join place
    on named.customer_code = place.customer_code and era_of(named.bill_month) = place.era
    and last_of(named.bill_month) >= place.holds_from and last_of(named.bill_month) < place.holds_to
left join debit on named.customer_code = debit.customer_code and named.bill_month = debit.bill_month;

-- Cells: counted and summed per month and place.
create table bill_cell as
select
    bill_month, commune_code, district_code, power_unit_code, current_commune_code, is_electricity,
    count(*) as bills_issued,
    count(*) filter (where collected = total) as bills_settled,
    count(*) filter (where collected = total and cashless = total) as bills_cashless,
    count(*) filter (where collected = total and strict = total) as bills_cashless_strict,
    count(*) filter (where collected = total and cashless > 0 and cashless < total) as bills_mixed,
    count(*) filter (where collected = 0) as bills_unpaid,
    count(*) filter (where collected > 0 and collected < total) as bills_partly_paid,
    sum(total)::bigint as amount_issued_vnd,
    sum(collected)::bigint as amount_collected_vnd,
    sum(cashless)::bigint as amount_cashless_vnd,
    sum(strict)::bigint as amount_cashless_strict_vnd,
    sum(total - collected)::bigint as amount_open_vnd,
    count(*) filter (where collected = total and last_paid_on <= due_on) as bills_on_time
from settled
group by all;

create table customer_cell as
with customer_month as (
    select
        bill_month, customer_code, any_value(commune_code) as commune_code, any_value(district_code) as district_code,
        any_value(power_unit_code) as power_unit_code, any_value(current_commune_code) as current_commune_code,
        bool_and(collected = total and cashless = total) as is_cashless,
        bool_and(collected = total and strict = total) as is_strict,
        bool_and(collected = total and cashless = total) filter (where is_electricity) as is_electricity_cashless,
        bool_and(collected = total and strict = total) filter (where is_electricity) as is_electricity_strict,
        bool_or(has_debit) as has_debit
    from settled
    group by bill_month, customer_code
)
select
    scope, bill_month, commune_code, district_code, power_unit_code, current_commune_code,
    count(*) as customers_billed,
    count(*) filter (where is_cashless) as customers_cashless,
    count(*) filter (where is_strict) as customers_cashless_strict,
    count(*) filter (where has_debit) as customers_auto_debit
from (
    select 'all' as scope, * from customer_month
    union all by name
    select 'electricity' as scope, customer_month.* replace (
        is_electricity_cashless as is_cashless, is_electricity_strict as is_strict
    )
    from customer_month
    where is_electricity_cashless is not null
) as scoped
group by all;

create table days_cell as
select
    bill_month, commune_code, district_code, power_unit_code, current_commune_code, is_electricity, days,
    count(*) as bills
from settled
where collected = total
group by all;

create table cell as
with part as (
    select 'all' as scope, * exclude (is_electricity) from bill_cell
    union all by name
    select 'electricity' as scope, * exclude (is_electricity) from bill_cell where is_electricity
    union all by name
    select * from customer_cell
)
select
    scope, bill_month, commune_code, district_code, power_unit_code, current_commune_code,
    coalesce(sum(columns(* exclude (
        scope, bill_month, commune_code, district_code, power_unit_code, current_commune_code
    ))), 0)::bigint
from part
group by scope, bill_month, commune_code, district_code, power_unit_code, current_commune_code;

-- Units: every cell counts in up to six of them.
create macro units_of(cells) as table
select 'as_recorded' as geography, 'company' as level, 'COMPANY' as code, * from query_table(cells)
union all
select 'current', 'company', 'COMPANY', * from query_table(cells)
union all
select 'as_recorded', 'power_unit', power_unit_code, * from query_table(cells)
union all
select 'as_recorded', 'district', district_code, * from query_table(cells) where district_code is not null
union all
select 'as_recorded', 'commune', commune_code, * from query_table(cells)
union all
select 'current', 'commune', current_commune_code, * from query_table(cells);

create table unit_month as
select
    bill_month, geography, scope, level, code,
    sum(columns(* exclude (
        bill_month, geography, scope, level, code, commune_code, district_code, power_unit_code, current_commune_code
    )))::bigint
from units_of('cell')
group by bill_month, geography, scope, level, code;

create table median as
with scoped as (
    select 'all' as scope, * from units_of('days_cell')
    union all
    select 'electricity', * from units_of('days_cell') where is_electricity
),
counted as (
    select bill_month, geography, scope, level, code, days, sum(bills) as bills
    from scoped
    group by all
),
ranked as (
    select
        *,
        sum(bills) over (
            partition by bill_month, geography, scope, level, code order by days rows unbounded preceding
        ) as rank_to,
        sum(bills) over (partition by bill_month, geography, scope, level, code) as settled
    from counted
)
select
    bill_month, geography, scope, level, code,
    (min(days) filter (where 2 * rank_to >= settled)
        + min(days) filter (where 2 * rank_to >= settled + 2 - settled % 2)) / 2 as median_days_to_pay
from ranked
group by bill_month, geography, scope, level, code;

-- A commune's power unit: that of most of its billed customers, the smallest code on a tie.
create table leading_unit as
select bill_month, geography, scope, code, power_unit_code
from units_of('cell')
where level = 'commune'
group by bill_month, geography, scope, code, power_unit_code
qualify row_number() over (
    partition by bill_month, geography, scope, code order by sum(customers_billed) desc, power_unit_code
) = 1;

-- Counters of the power units that are open on a month's last day, where they stood then.
create table located as
with ordered as (
    select
        *,
        row_number() over (
            partition by collection_point_code, updated_at
            order by
                name desc, operator desc, commune_code desc, serves_commune_codes desc, opened_on desc,
                planned_close_on desc nulls last, closed_on desc nulls last, authority_reported_on desc nulls last
        ) as place_of_equal
    from point_row
),
current_point as (
    from ordered where place_of_equal = 1
    qualify row_number() over (partition by collection_point_code order by updated_at desc) = 1
),
earliest as (
    from ordered where place_of_equal = 1
    qualify row_number() over (partition by collection_point_code order by updated_at) = 1
),
day_version as (
    from ordered where place_of_equal = 1
    qualify row_number() over (partition by collection_point_code, updated_at::date order by updated_at desc) = 1
),
span as (
    select
        collection_point_code, commune_code, updated_at, updated_at::date as holds_from,
        coalesce(
            lead(updated_at::date) over (partition by collection_point_code order by updated_at), date 'infinity'
        ) as holds_to
    from day_version
    union all
    select collection_point_code, commune_code, updated_at, date '-infinity', updated_at::date from earliest
)
select
    month.bill_month,
    coalesce(recorded.code, 'UNRESOLVED') as commune_code,
    case
        when month.bill_month < date '2025-07-01' then coalesce(commune.district_code, recorded.code, 'UNRESOLVED')
    end as district_code,
    coalesce(today.code, 'UNRESOLVED') as current_commune_code
from current_point as point
inner join (select distinct bill_month from cell) as month
    on last_of(bill_month) >= opened_on and (closed_on is null or closed_on > last_of(bill_month))
inner join span
    on point.collection_point_code = span.collection_point_code
    and last_of(bill_month) >= span.holds_from and last_of(bill_month) < span.holds_to
left join reading as recorded
    on span.commune_code = recorded.written_code and era_of(span.updated_at::date) = recorded.written_era
    and recorded.wanted_era = era_of(bill_month)
left join reading as today
    on span.commune_code = today.written_code and era_of(span.updated_at::date) = today.written_era
    and today.wanted_era = 3
left join commune on commune.era = era_of(bill_month) and commune.commune_code = recorded.code
where operator = 'power_unit';

create table points as
with scoped as (
    select located.*, scopes.scope, leading_unit.power_unit_code
    from located
    cross join (select unnest(['all', 'electricity']) as scope) as scopes
    left join leading_unit
        on located.bill_month = leading_unit.bill_month and leading_unit.geography = 'as_recorded'
        and scopes.scope = leading_unit.scope and located.commune_code = leading_unit.code
)
select bill_month, geography, scope, level, code, count(*) as collection_points_open
from units_of('scoped')
where code is not null
group by bill_month, geography, scope, level, code;

create table target as
with current_target as (
    from target_row
    where metric = 'cashless_rate_customers' and code not in ('UNRESOLVED', 'UNKNOWN')
    qualify row_number() over (partition by month, level, code order by updated_at desc, target desc) = 1
)
select
    month as bill_month, level, target,
    case when level = 'commune' then reading.code else current_target.code end as code
from current_target
left join reading
    on current_target.code = reading.written_code and reading.written_era = era_of(month)
    and reading.wanted_era = era_of(month)
where case when level = 'commune' then reading.code else current_target.code end <> 'UNRESOLVED'
qualify row_number() over (
    partition by bill_month, level, case when level = 'commune' then reading.code else current_target.code end
    order by updated_at desc, target desc, current_target.code desc
) = 1;

create view figures as
select
    unit_month.*,
    customers_cashless / nullif(customers_billed, 0) as cashless_rate_customers,
    bills_cashless / nullif(bills_issued, 0) as cashless_rate_bills,
    amount_cashless_vnd / nullif(amount_collected_vnd, 0) as cashless_rate_amount,
    customers_cashless_strict / nullif(customers_billed, 0) as cashless_rate_customers_strict,
    bills_cashless_strict / nullif(bills_issued, 0) as cashless_rate_bills_strict,
    amount_cashless_strict_vnd / nullif(amount_collected_vnd, 0) as cashless_rate_amount_strict,
    bills_on_time / nullif(bills_issued, 0) as on_time_rate,
    median_days_to_pay,
    coalesce(collection_points_open, 0) as collection_points_open,
    target,
    customers_cashless / nullif(customers_billed, 0) / nullif(target, 0) as attainment
from unit_month
left join median using (bill_month, geography, scope, level, code)
left join points using (bill_month, geography, scope, level, code)
left join target
    on unit_month.bill_month = target.bill_month and unit_month.level = target.level
    and unit_month.code = target.code and unit_month.scope = 'electricity'
    and unit_month.geography = 'as_recorded'
where bills_issued > 0;

create table kpi_company_month as select * exclude (level, code) from figures where level = 'company';

create table kpi_power_unit_month as
select
    figures.* exclude (level, code), code as power_unit_code, coalesce(power_unit_name, code) as power_unit_name
from figures
left join (select distinct power_unit_code, power_unit_name from seed('districts_power_units_2024')) as unit
    on code = unit.power_unit_code
where level = 'power_unit';

create table kpi_district_month as
select
    figures.* exclude (level, code), code as district_code, coalesce(district_name, code) as district_name
from figures
left join (select distinct era, district_code, district_name from commune) as district
    on code = district.district_code and era = era_of(bill_month)
where level = 'district';

create table kpi_commune_month as
select
    figures.* exclude (level, code),
    figures.code as commune_code,
    coalesce(full_name, figures.code) as commune_name,
    case when figures.geography = 'as_recorded' and figures.bill_month < date '2025-07-01'
        then coalesce(district_code, figures.code) end as district_code,
    case when figures.geography = 'as_recorded' and figures.bill_month < date '2025-07-01'
        then coalesce(district_name, figures.code) end as district_name,
    leading_unit.power_unit_code
from figures
inner join leading_unit
    on figures.bill_month = leading_unit.bill_month and figures.geography = leading_unit.geography
    and figures.scope = leading_unit.scope and figures.code = leading_unit.code
left join commune
    on figures.code = commune.commune_code
    and commune.era = case figures.geography when 'current' then 3 else era_of(figures.bill_month) end
where level = 'commune';
