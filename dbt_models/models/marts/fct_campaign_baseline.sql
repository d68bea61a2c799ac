-- Grain: one row per campaign and customer with whom it is compared: not reached by it, paying cash on the day when it
-- first reached somebody in the customer's commune; on the earliest such day, where there are several.
select distinct on (candidate.campaign_id, candidate.customer_key)
    candidate.campaign_id,
    candidate.customer_key,
    candidate.tested_on,
    test.is_converted
from {{ ref('baseline_candidate') }} as candidate
inner join {{ ref('campaign_test') }} as test
    on candidate.customer_key = test.customer_key and candidate.tested_on = test.tested_on
where test.is_paying_cash
order by candidate.campaign_id, candidate.customer_key, candidate.tested_on
