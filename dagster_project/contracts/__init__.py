"""The contracts of the raw sources (ODCS v3 YAML) and their typed model; no reading, no SQL execution."""
