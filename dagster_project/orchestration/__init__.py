"""The orchestration room: the rooms' work as Dagster assets, checks and one job. No work of its own."""
