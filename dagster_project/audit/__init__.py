"""The audit room: Great Expectations over the candidate's metrics. What the metrics are stands in dbt_models."""
