-- Grain: one row per campaign, customer whom it did not reach, and day on which it first reached somebody in the
-- commune where that customer counted on that day.
with campaign_commune as (
    select
        campaign_id,
        era,
        commune_code,
        min(contacted_on) as tested_on
    from {{ ref('campaign_reach') }}
    where commune_code not in {{ pseudo_codes() }}
    group by 1, 2, 3
)

select distinct
    campaign_commune.campaign_id,
    span.customer_key,
    campaign_commune.tested_on
from campaign_commune
inner join {{ ref('customer_span') }} as span
    on
        campaign_commune.era = span.era
        and campaign_commune.commune_code = span.commune_code
        and campaign_commune.tested_on >= span.holds_from
        and campaign_commune.tested_on < span.holds_to
where
    not exists (
        select 1 from {{ ref('campaign_reach') }} as reached
        where
            reached.campaign_id = campaign_commune.campaign_id
            and reached.customer_key = span.customer_key
    )
    and (
        {{ only_those_in('rebuilt_campaign', ['campaign_id'], 'campaign_commune') }}
        or {{ only_those_in('rebuilt_customer', ['customer_key'], 'span') }}
    )
