"""A landing folder in hand, and the balance that must hold after every test of this room."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from landing_folder import Declare, Landing

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.file_form import parse_file_forms
from dagster_project.contracts.model import fold_header
from dagster_project.raw import load, preview, reload, withdraw
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

# What counts as quarantined: open, or made up for by a corrected row in another line or file.
HELD = "(row.status = 'open' or (row.status = 'repaired' and row.repaired_by is not null))"


@pytest.fixture
def landing(warehouse: Settings) -> Iterator[Landing]:
    with closing(connect(warehouse)) as conn:
        yield Landing(warehouse, conn)


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    def declared(source: str, *entries: dict[str, Any]) -> None:
        contract = contracts()[source]
        forms = parse_file_forms(entries, contract.names, fold_header)
        changed = replace(contract, file_forms=forms)
        for module in (load, preview, reload, withdraw):
            monkeypatch.setattr(module, "contracts", lambda _: {**contracts(), source: changed})

    return declared


@pytest.fixture(autouse=True)
def _every_row_is_accounted_for(landing: Landing) -> Iterator[None]:
    """After every test of this room: files, raw and quarantine agree, row by row and đồng by đồng."""
    yield
    landing.conn.rollback()
    counted = """
        select file.path, file.rows_loaded, file.rows_duplicate, file.rows_quarantined,
               file.money_loaded_vnd, file.money_duplicate_vnd, file.money_quarantined_vnd
        from landing.file where file.content_of is null and file.source = '{source}' order by 1, file_id
    """
    found = """
        select file.path,
               (select count(*) from raw.{source} as r where r.file_id = file.file_id and not is_duplicate),
               (select count(*) from raw.{source} as r where r.file_id = file.file_id and is_duplicate),
               (select count(*) from landing.quarantine as row
                where row.file_id = file.file_id and {held}),
               (select coalesce(sum({money}), 0)::bigint from raw.{source} as row
                where row.file_id = file.file_id and not is_duplicate),
               (select coalesce(sum({money}), 0)::bigint from raw.{source} as row
                where row.file_id = file.file_id and is_duplicate),
               (select coalesce(sum(row.money), 0)::bigint from landing.quarantine as row
                where row.file_id = file.file_id and {held})
        from landing.file where file.content_of is null and file.source = '{source}' order by 1, file_id
    """
    loaded = {
        name
        for (name,) in landing.query("select relname from pg_class where relnamespace = 'raw'::regnamespace")
    }
    for contract in contracts().values():
        if contract.source in loaded:
            names = {"source": contract.source, "money": contract.money_column or "0", "held": HELD}
            assert landing.query(counted.format(**names)) == landing.query(found.format(**names))
            # Of equal rows exactly one counts.
            columns = ", ".join(f'"{name}"' for name in contract.names)
            assert (
                landing.query(
                    f"select {columns} from raw.{contract.source} group by {columns} "
                    "having count(*) filter (where not is_duplicate) <> 1"
                )
                == []
            )
            # Of the rows of a key at most one does not say that there are others: the models rely on it.
            keys = ", ".join(f'"{name}"' for name in contract.key)
            assert (
                landing.query(
                    f"select {keys} from raw.{contract.source} group by {keys} "
                    "having count(*) filter (where not is_key_repeated) > 1"
                )
                == []
            )
