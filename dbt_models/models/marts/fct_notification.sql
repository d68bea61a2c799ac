-- Grain: one row per notice. Sent is not delivered: only is_closure_notice counts as having told a customer.
select
    notice.notification_id,
    notice.campaign_id,
    notice.customer_key,
    case when notice.written_commune_code is not null then {{ place_code('reading') }} end as commune_code,
    notice.topic,
    notice.medium,
    notice.sent_at,
    notice.sent_at::date as sent_on,
    notice.delivery,
    notice.delivered_at,
    notice.topic = 'counter_closure'
    and notice.delivery = 'delivered'
    and notice.customer_key is not null
    and notice.medium not in ('mass_media', 'public_posting') as is_closure_notice
from {{ ref('stg_notification') }} as notice
left join {{ ref('commune_reading') }} as reading
    on
        notice.written_commune_code = reading.written_code
        and notice.written_era = reading.written_era
        and notice.written_era = reading.wanted_era
