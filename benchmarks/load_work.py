"""The work that the load benchmark measures, as a process of its own: product, COPY or pandas on one landing folder.

`python -m benchmarks.load_work KIND URL LANDING HOME` prints one line of JSON: the peak memory right after the imports
and at the end. Does not belong here: what is measured and how it is told (load.py).
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

BLOCK = 256 * 1024
SOURCE = "payments"


def product(url: str, landing: Path, home: Path) -> Callable[[], None]:
    """The product's own load: checks, quarantine, duplicates, ledger."""
    # psycopg2, the contracts and the readers are what a load imports.
    from dagster_project.landing import csv_reader, excel_reader  # noqa: F401, PLC0415
    from dagster_project.raw import judge  # noqa: F401, PLC0415
    from dagster_project.raw.load import load_landing  # noqa: PLC0415
    from dagster_project.settings import Settings  # noqa: PLC0415
    from dagster_project.warehouse.connection import connect  # noqa: PLC0415

    def work() -> None:
        settings = Settings(home=home, database_url=url, landing=str(landing))
        with closing(connect(settings)) as conn:
            report = load_landing(settings, conn, [SOURCE])
        if report.refused:
            raise SystemExit(f"refused: {report.refused[0].refused_reason}")

    return work


def copy(url: str, landing: Path, home: Path) -> Callable[[], None]:
    """COPY of the same files, streamed in blocks, into an unlogged table of text: no check, no key, no ledger."""
    from dagster_project.warehouse.connection import connect_url  # noqa: PLC0415

    def work() -> None:
        with closing(connect_url(url)) as conn, conn.cursor() as cursor:
            for file in sorted((landing / SOURCE).iterdir()):
                with file.open("rb") as stream:
                    columns = [name.strip() for name in stream.readline().decode().split(",")]
                    listed = ", ".join(f"{name} text" for name in columns)
                    cursor.execute(f"create table if not exists plain_copy ({listed})")
                    cursor.copy_expert("copy plain_copy from stdin (format csv)", stream, size=BLOCK)
            conn.commit()

    return work


def typed(url: str, landing: Path, home: Path) -> Callable[[], None]:
    """COPY of the same files into columns of the contract's types, bad rows ignored, and then the indexes of raw."""
    from dagster_project.contracts.catalog import contracts  # noqa: PLC0415
    from dagster_project.warehouse.connection import connect_url  # noqa: PLC0415

    contract = contracts()[SOURCE]
    listed = ", ".join(f"{column.name} {column.sql_type}" for column in contract.columns)

    def work() -> None:
        with closing(connect_url(url)) as conn, conn.cursor() as cursor:
            cursor.execute(f"create table typed_copy ({listed})")
            for file in sorted((landing / SOURCE).iterdir()):
                with file.open("rb") as stream:
                    columns = stream.readline().decode().strip()
                    statement = f"copy typed_copy ({columns}) from stdin (format csv, on_error ignore)"
                    cursor.copy_expert(statement, stream, size=BLOCK)
            for names in (contract.key, *contract.lookups):
                cursor.execute(f"create index on typed_copy ({', '.join(names)})")
            conn.commit()

    return work


def least(url: str, landing: Path, home: Path) -> Callable[[], None]:
    """What no loader can leave out that takes each row once and finds it again: COPY into columns of the contract's
    types as PostgreSQL casts them, the keys that are repeated, and one index of numbers made of the keys.
    """
    from dagster_project.contracts.catalog import contracts  # noqa: PLC0415
    from dagster_project.warehouse.connection import connect_url  # noqa: PLC0415

    contract = contracts()[SOURCE]
    listed = ", ".join(f"{column.name} {column.sql_type}" for column in contract.columns)
    number = " # ".join(f"hashtextextended({name}, {place})" for place, name in enumerate(contract.key))

    def work() -> None:
        with closing(connect_url(url)) as conn, conn.cursor() as cursor:
            cursor.execute(f"create table least_copy ({listed})")
            for file in sorted((landing / SOURCE).iterdir()):
                with file.open("rb") as stream:
                    columns = stream.readline().decode().strip()
                    statement = f"copy least_copy ({columns}) from stdin (format csv, on_error ignore)"
                    cursor.copy_expert(statement, stream, size=BLOCK)
            # Sorting numbers is quicker than hashing them, and the planner cannot know how many there are.
            cursor.execute("set local enable_hashagg to off")
            cursor.execute(
                f"create temp table repeated as select {number} as key from least_copy group by 1 having count(*) > 1"
            )
            cursor.execute(f"create index on least_copy (({number}))")
            conn.commit()

    return work


def pandas(url: str, landing: Path, home: Path) -> Callable[[], None]:
    """pandas.read_csv and to_sql with its multi-row inserts, as tutorials do it."""
    import pandas as pd  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415

    def work() -> None:
        engine = create_engine(url)
        for file in sorted((landing / SOURCE).iterdir()):
            frame = pd.read_csv(file, dtype=str)
            frame.to_sql("plain_pandas", engine, if_exists="append", index=False)
        engine.dispose()

    return work


KINDS: dict[str, Any] = {"product": product, "copy": copy, "least": least, "typed": typed, "pandas": pandas}


def main(kind: str, url: str, landing: str, home: str) -> None:
    """Imports, works, tells the memory of both."""
    work = KINDS[kind](url, Path(landing), Path(home))
    imported = _peak_kb()
    work()
    print(json.dumps({"imports_mb": imported / 1024, "peak_mb": _peak_kb() / 1024}))


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(*sys.argv[1:])
