-- Grain: as delta.fct_notification. All rows as they will be published.
{{ after_publication('fct_notification', 'touched_notification', {'notification_id': 'notification_id'}) }}
