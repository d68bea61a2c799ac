-- Grain: one row per collection point that is judged anew and customer whom it serves on its day: active, in a commune
-- that the point serves on that day.
with served_commune as (
    select distinct
        counter.collection_point_code,
        counter.as_of,
        {{ era_of('counter.as_of') }} as era,
        reading.commune_code
    from {{ ref('counter') }} as counter
    inner join {{ ref('stg_collection_point_version') }} as version
        on
            counter.collection_point_code = version.collection_point_code
            and counter.as_of >= version.holds_from
            and counter.as_of < version.holds_to
    cross join lateral regexp_split_to_table(version.serves_commune_codes, ';') as served (written_code)
    inner join {{ ref('commune_reading') }} as reading
        on
            trim(served.written_code) = reading.written_code
            and version.written_era = reading.written_era
            and reading.wanted_era = {{ era_of('counter.as_of') }}
    where
        reading.commune_code <> 'UNRESOLVED'
        and {{ only_those_in('rebuilt_counter', ['collection_point_code'], 'counter') }}
),

verification as (
    select
        customer_key,
        verified_from,
        coalesce(verified_to, 'infinity'::date) as verified_to
    from {{ ref('candidate_fct_phone_verification') }}
)

select
    served_commune.collection_point_code,
    served_commune.as_of,
    span.customer_key,
    span.commune_code,
    coalesce(notice.notified_on <= served_commune.as_of, false) as is_notified,
    verification.customer_key is not null as is_phone_verified
from served_commune
inner join {{ ref('customer_span') }} as span
    on
        served_commune.era = span.era
        and served_commune.commune_code = span.commune_code
        and served_commune.as_of >= span.active_from
        and served_commune.as_of < span.holds_to
left join {{ ref('customer_notice') }} as notice
    on span.customer_key = notice.customer_key
left join verification
    on
        span.customer_key = verification.customer_key
        and served_commune.as_of >= verification.verified_from
        and served_commune.as_of < verification.verified_to
