-- Grain: one row per campaign: whom it reached, how many of those who paid cash changed, and how many changed of those
-- in the same communes whom it did not reach.
with contacted as (
    select
        campaign_id,
        count(*) as contacts,
        count(distinct customer_key) filter (where is_reached) as customers_contacted,
        count(distinct customer_key) filter (where is_paying_cash) as contacted_paying_cash,
        count(distinct customer_key) filter (where is_converted) as converted
    from {{ ref('candidate_fct_campaign_contact') }}
    group by 1
),

baseline as (
    select
        campaign_id,
        count(*) as baseline_paying_cash,
        count(*) filter (where is_converted) as baseline_converted
    from {{ ref('candidate_fct_campaign_baseline') }}
    group by 1
)

-- Also a campaign without any contact, and one that only contacts name.
select
    coalesce(campaign.campaign_id, contacted.campaign_id) as campaign_id,
    coalesce(contacted.contacts, 0) as contacts,
    coalesce(contacted.customers_contacted, 0) as customers_contacted,
    coalesce(contacted.contacted_paying_cash, 0) as contacted_paying_cash,
    coalesce(contacted.converted, 0) as converted,
    {{ rate('contacted.converted', 'contacted.contacted_paying_cash') }} as conversion_rate,
    {{ rate('baseline.baseline_converted', 'baseline.baseline_paying_cash') }} as baseline_rate,
    {{ rate('contacted.converted', 'contacted.contacted_paying_cash') }}
    - {{ rate('baseline.baseline_converted', 'baseline.baseline_paying_cash') }} as lift,
    coalesce(baseline.baseline_paying_cash, 0) as baseline_paying_cash,
    coalesce(baseline.baseline_converted, 0) as baseline_converted
from {{ ref('dim_campaign') }} as campaign
full join contacted
    on campaign.campaign_id = contacted.campaign_id
left join baseline
    on contacted.campaign_id = baseline.campaign_id
