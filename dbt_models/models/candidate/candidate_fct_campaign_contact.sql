-- Grain: as delta.fct_campaign_contact. All rows as they will be published.
{{ after_publication('fct_campaign_contact', 'rebuilt_contact', {'contact_id': 'contact_id'}) }}
