"""The transform room: from raw rows to candidate marts. The models themselves are in dbt_models."""
