-- Grain: as delta.fct_phone_review. All rows as they will be published.
{{ after_publication('fct_phone_review', 'touched_phone_review', {'review_id': 'review_id'}) }}
