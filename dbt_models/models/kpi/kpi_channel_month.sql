-- Grain: one row per billing month, scope, level, unit and channel that paid something of the unit's bills.
with allocation as (
    select
        bill.bill_id,
        bill.payments,
        bill.bill_type,
        bill.bill_month,
        bill.commune_code,
        bill.district_code,
        bill.power_unit_code,
        allocation.channel_code,
        allocation.channel_class,
        allocation.amount_vnd
    from {{ of_rebuilt_months(ref('candidate_fct_allocation')) }} as allocation
    inner join {{ of_rebuilt_months(ref('candidate_fct_bill')) }} as bill
        on allocation.bill_id = bill.bill_id and allocation.customer_key = bill.customer_key
),

-- A bill counts once per channel, however many payments of that channel it took; few bills take more than one.
bill_channel as (
    select
        bill_type,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        channel_code,
        channel_class,
        amount_vnd
    from allocation
    where payments = 1
    union all
    select
        bill_type,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        channel_code,
        channel_class,
        sum(amount_vnd) as amount_vnd
    from allocation
    where payments > 1
    group by bill_id, 1, 2, 3, 4, 5, 6, 7
),

cells_by_type as (
    select
        bill_type,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        channel_code,
        channel_class,
        sum(amount_vnd) as amount_vnd,
        count(*) as bills
    from bill_channel
    group by 1, 2, 3, 4, 5, 6, 7
),

cells as (
    {{ by_scope('cells_by_type', [
        'bill_month', 'commune_code', 'district_code', 'power_unit_code',
        'channel_code', 'channel_class', 'amount_vnd', 'bills'
    ]) }}
),

units as (
    select
        bill_month,
        geography,
        scope,
        level,
        code,
        channel_code,
        channel_class,
        sum(amount_vnd)::bigint as amount_vnd,
        sum(bills)::bigint as bills
    from (
        {{ unit_levels('cells', [
            'bill_month', 'scope', 'channel_code', 'channel_class', 'amount_vnd', 'bills'
        ], 'as_recorded') }}
    ) as unit_cells
    group by 1, 2, 3, 4, 5, 6, 7
)

select
    bill_month,
    geography,
    scope,
    level,
    code,
    channel_code,
    channel_class,
    amount_vnd,
    {{ rate('amount_vnd', 'sum(amount_vnd) over (partition by bill_month, scope, level, code)') }} as share_amount,
    bills
from units
