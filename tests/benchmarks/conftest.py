"""The benchmark's tests run the pipeline in process, as the end-to-end tests do: in the one database name that dbt's
parsed project names.
"""

from tests.e2e.conftest import database

__all__ = ["database"]
