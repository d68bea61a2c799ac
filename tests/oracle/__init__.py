"""The project's own second opinion: a slow, readable recomputation of the published figures from raw rows.

Belongs here: the rules of the definitions page in plain Python, random small bundles, and the comparison of
tables. Does not belong here: anything that imports the package under test or runs the pipeline.
"""

from .recompute import recompute

__all__ = ["recompute"]
