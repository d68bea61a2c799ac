-- Grain: one row per customer and version (SCD2): what held from effective_from until the day before effective_to.
-- No code, name, phone or address: those live in bi_private.
select
    version.customer_key,
    version.effective_from,
    version.effective_to,
    version.effective_to is null as is_latest,
    version.written_era as era,
    {{ place_code('reading') }} as commune_code,
    version.power_unit_code,
    version.customer_type,
    version.status,
    version.phone is not null as has_phone,
    coalesce(version.phone ~ '^0[35789][0-9]{8}$', false) as is_phone_valid,
    commune.commune_code is null as is_late_coded,
    version.place_from = '-infinity'::date as is_first
from {{ ref('stg_customer_version') }} as version
left join {{ ref('commune_reading') }} as reading
    on
        version.written_commune_code = reading.written_code
        and version.written_era = reading.written_era
        and version.written_era = reading.wanted_era
left join {{ ref('dim_commune') }} as commune
    on version.written_commune_code = commune.commune_code and version.written_era = commune.era
where {{ only_those_in('touched_customer', ['customer_key'], 'version') }}
