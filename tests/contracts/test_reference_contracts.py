"""The contracts of the reference data that the operator owns."""

import json
from pathlib import Path

import open_data_contract_standard
import pytest
import yaml
from jsonschema import validate

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Form
from dagster_project.contracts.reference_tables import REFERENCE_DIR, overlay_table, reference_contracts

# `*` key, `?` may be empty, `(a/b)` closed list; in contract order.
FILES = {
    "channels": "channel_code* channel_class(cashless/agent_cash/counter_cash/unknown) channel_name_vi? "
    "channel_name_en?",
    "commune_successions": "from_era(2024/2025h1)* from_commune_code* to_era(2025h1/2025h2)? to_commune_code* "
    "effective_from? legal_basis?",
    "communes": "commune_code* era(2024/2025h1/2025h2)* commune_name commune_type(xã/phường/thị trấn) "
    "district_code? district_name? former_province_code(35/36/37) valid_from? valid_to?",
    "expected_files": "expectation_code* source partner_code? files every(day/working_day/month) due_days due_time "
    "valid_from valid_to?",
    "partners": "partner_code* partner_name_vi partner_name_en? "
    "kind(bank/wallet/intermediary/post/agent/other)",
    "power_units": "power_unit_code* power_unit_name district_code?",
}


def test_the_files() -> None:
    assert set(reference_contracts()) == set(FILES)
    assert {path.stem for path in REFERENCE_DIR.iterdir()} == set(FILES)
    assert not FILES.keys() & contracts().keys(), "their temporary tables have the names of the files"


@pytest.mark.parametrize("name", FILES)
def test_columns_keys_and_closed_lists(name: str) -> None:
    assert FILES[name] == " ".join(
        column.name
        + (f"({'/'.join(column.values)})" if column.values else "")
        + ("*" if column.key else "" if column.required else "?")
        for column in reference_contracts()[name].columns
    )


@pytest.mark.parametrize("name", FILES)
def test_they_are_odcs_contracts(name: str) -> None:
    document = yaml.safe_load((REFERENCE_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    schema = Path(open_data_contract_standard.__file__).with_name("schema.json")
    validate(document, json.loads(schema.read_text(encoding="utf-8")))
    assert document["name"] == name
    (table,) = document["schema"]
    assert (table["name"], table["physicalName"]) == (name, f"reference.{overlay_table(name)}")


def test_every_column_has_a_vietnamese_header_of_its_own() -> None:
    for contract in reference_contracts().values():
        assert all(column.vietnamese for column in contract.columns)
        assert len(contract.headers) == 2 * len(contract.columns)


def test_they_have_no_versions_and_nothing_personal() -> None:
    for contract in reference_contracts().values():
        assert contract.version_column == ""
        assert not any(column.personal for column in contract.columns)
        assert {column.form for column in contract.columns} <= {Form.TEXT, Form.DATE, Form.SMALL_INTEGER}
