-- Grain: as delta.fct_allocation. All rows as they will be published.
{{ after_publication('fct_allocation', 'rebuilt_bill', {'bill_id': 'bill_id'}) }}
