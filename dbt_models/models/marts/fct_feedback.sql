-- Grain: one row per request or complaint. Its text is not published.
select
    feedback.feedback_id,
    feedback.customer_key,
    case when feedback.written_commune_code is null then 'UNKNOWN' else {{ place_code('reading') }} end as commune_code,
    feedback.received_at,
    feedback.received_on,
    feedback.topic,
    feedback.status,
    feedback.closed_at,
    feedback.closed_on,
    feedback.is_reopened,
    extract(epoch from feedback.closed_at - feedback.received_at)::numeric / 3600 as hours_to_close
from {{ ref('stg_feedback') }} as feedback
left join {{ ref('commune_reading') }} as reading
    on
        feedback.written_commune_code = reading.written_code
        and feedback.written_era = reading.written_era
        and feedback.written_era = reading.wanted_era
