"""The reference data that the operator owns: files of the overlay into tables of schema reference; no models."""
