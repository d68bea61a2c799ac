-- Grain: as delta.fct_bill. All rows as they will be published.
{{ after_publication('fct_bill', 'rebuilt_bill', {'bill_id': 'bill_id'}) }}
