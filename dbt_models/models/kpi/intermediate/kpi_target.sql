-- Grain: one row per month, level and code: the target of cashless_rate_customers. Commune codes are read in the era
-- of their month; where two codes mean one commune, the later updated_at holds.
with wanted as (
    select
        month as bill_month,
        level,
        code,
        target,
        updated_at,
        {{ era_of('month') }} as era
    from {{ ref('stg_target') }}
    where metric = 'cashless_rate_customers' and code not in {{ pseudo_codes() }}
),

mapped as (
    select
        wanted.bill_month,
        wanted.level,
        wanted.target,
        wanted.updated_at,
        wanted.code as written_code,
        case when wanted.level = 'commune' then {{ place_code('reading') }} else wanted.code end as code
    from wanted
    left join {{ ref('commune_reading') }} as reading
        on
            wanted.level = 'commune'
            and wanted.code = reading.written_code
            and wanted.era = reading.written_era
            and wanted.era = reading.wanted_era
)

select distinct on (bill_month, level, code)
    bill_month,
    level,
    code,
    target
from mapped
where code <> 'UNRESOLVED'
order by bill_month asc, level asc, code asc, updated_at desc, target desc, written_code collate "C" desc
