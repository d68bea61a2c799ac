-- Grain: one row per billing month, scope, level, unit and channel that paid something of the unit's bills.
with split_amount as (
    select
        bill.bill_id,
        bill.bill_type,
        bill.bill_month,
        bill.commune_code,
        bill.district_code,
        bill.power_unit_code,
        allocation.channel_code,
        sum(allocation.amount_vnd) as amount_vnd
    from {{ ref('kpi_split_bill') }} as bill
    inner join {{ of_rebuilt_months(ref('candidate_fct_allocation')) }} as allocation
        on bill.bill_id = allocation.bill_id and bill.customer_key = allocation.customer_key
    group by 1, 2, 3, 4, 5, 6, 7
),

-- A bill counts once per channel, however many payments of that channel it took; few bills take more than one channel.
bill_channel as (
    select
        bill_type,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        channel_code,
        amount_collected_vnd as amount_vnd,
        bills_issued as bills
    from {{ ref('kpi_bill_cell') }}
    where channel_code is not null
    union all
    select
        bill_type,
        bill_month,
        commune_code,
        district_code,
        power_unit_code,
        channel_code,
        amount_vnd,
        1 as bills
    from split_amount
),

cells_by_type as (
    select
        bill_channel.bill_type,
        bill_channel.bill_month,
        bill_channel.commune_code,
        bill_channel.district_code,
        bill_channel.power_unit_code,
        bill_channel.channel_code,
        coalesce(channel.channel_class, 'unknown') as channel_class,
        sum(bill_channel.amount_vnd) as amount_vnd,
        sum(bill_channel.bills) as bills
    from bill_channel
    left join {{ ref('dim_channel') }} as channel
        on bill_channel.channel_code = channel.channel_code
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
