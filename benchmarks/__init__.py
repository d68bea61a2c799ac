"""Measuring the pipeline against a hand-written floor, on the same files. Nothing here is part of the pipeline."""
