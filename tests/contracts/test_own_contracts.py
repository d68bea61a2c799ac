"""A contract of the operator's own replaces the shipped one, and has what that has."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.contracts.catalog import CONTRACTS_DIR, contracts
from dagster_project.contracts.lint import contract_files, faults_of
from dagster_project.contracts.model import ContractError
from dagster_project.contracts.yaml_places import place_of

Change = Callable[[dict[str, Any]], object]


def shipped(source: str = "payments") -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CONTRACTS_DIR / f"{source}.yaml").read_text(encoding="utf-8"))
    return loaded


def write(overlay: Path, document: Any, name: str = "payments.yaml") -> Path:
    folder = overlay / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(
        document
        if isinstance(document, str)
        else yaml.safe_dump(document, allow_unicode=True, sort_keys=False),
        encoding="utf-8",
    )
    return path


def column(table: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in table["properties"] if entry["name"] == name)


def custom(table: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in table["customProperties"] if item["property"] == name)


def test_no_overlay_or_an_empty_one_changes_nothing(tmp_path: Path) -> None:
    assert contracts(tmp_path) == contracts(tmp_path / "nowhere") == contracts()


def test_headers_of_the_operator_are_read_besides_the_shipped_ones(tmp_path: Path) -> None:
    document = shipped()
    column(document["schema"][0], "amount")["customProperties"] = [
        {"property": "aliases", "value": ["Thành tiền", "AMT"]}
    ]
    write(tmp_path, document)
    own = contracts(tmp_path)["payments"]
    assert {own.headers[header] for header in ("amount", "so tien", "thanh tien", "amt")} == {"amount"}
    assert own.fingerprint != contracts()["payments"].fingerprint
    assert contracts(tmp_path)["bills"] is contracts()["bills"]


def remove(name: str) -> Change:
    def change(table: dict[str, Any]) -> None:
        table["properties"].remove(column(table, name))

    return change


def swap(table: dict[str, Any]) -> None:
    entries = table["properties"]
    entries[4], entries[5] = entries[5], entries[4]


LESS: list[tuple[Change, str | None, str]] = [
    (remove("fee"), None, "column fee of the shipped contract is missing: add it again"),
    (
        lambda table: column(table, "fee").update(physicalType="numeric", logicalType="number"),
        "fee",
        "column fee: must stay a money, as in the shipped contract",
    ),
    (
        lambda table: column(table, "amount").update(required=False),
        "amount",
        "column amount: must stay required, as in the shipped contract",
    ),
    (
        lambda table: column(table, "customer_code").pop("classification"),
        "customer_code",
        "column customer_code: must stay classified as personal, as in the shipped contract",
    ),
    (
        lambda table: column(table, "kind").pop("quality"),
        "kind",
        "column kind: its closed list must have payment, reversal, in this order (more may be added)",
    ),
    (
        lambda table: column(table, "amount").pop("logicalTypeOptions"),
        "amount",
        "column amount: exclusiveMinimum must stay as in the shipped contract",
    ),
    (
        lambda table: column(table, "bill_id").update(primaryKey=True, required=True),
        "bill_id",
        "the key must stay partner_code, transaction_id: it is that of the models",
    ),
    (
        swap,
        "customer_code",
        "column customer_code stands in another place than in the shipped contract: the order of columns decides "
        "between rows of one version",
    ),
    (
        lambda table: column(table, "amount").pop("businessName"),
        "amount",
        "column amount: the shipped contract also takes the header “so tien”: keep it as businessName or among its "
        "aliases",
    ),
]


@pytest.mark.parametrize(("change", "at", "said"), LESS)
def test_the_shipped_contract_is_the_least(tmp_path: Path, change: Change, at: str | None, said: str) -> None:
    document = shipped()
    change(document["schema"][0])
    path = write(tmp_path, document)
    names = [entry["name"] for entry in document["schema"][0]["properties"]]
    way = ("schema", 0, "properties", *([names.index(at)] if at else []))
    line, place = place_of(path.read_text(encoding="utf-8"), way)
    with pytest.raises(ContractError) as fault:
        contracts(tmp_path)
    assert str(fault.value) == f"{path}, line {line}, column {place}: {said}"
    assert str(fault.value) in [str(each) for each in faults_of(path)]


@pytest.mark.parametrize("name", ["paiments.yaml", "payments.yml", "all.yaml"])
def test_a_contract_of_no_source_is_an_error(tmp_path: Path, name: str) -> None:
    write(tmp_path, shipped(), name)
    with pytest.raises(
        ContractError, match=rf"{name}: is the contract of no source: the names are auto_debit"
    ):
        contracts(tmp_path)


def test_a_declaration_in_the_wrong_place_is_an_error(tmp_path: Path) -> None:
    document = shipped()
    document["schema"][0]["fileForms"] = [{"encoding": "tcvn3"}]
    write(tmp_path, document)
    with pytest.raises(
        ContractError, match=r"payments\.yaml, line \d+.*fileForms belongs into customProperties"
    ):
        contracts(tmp_path)


def test_a_file_called_after_another_source(tmp_path: Path) -> None:
    write(tmp_path, shipped("bills"))
    with pytest.raises(ContractError, match="the file is called after payments, not bills"):
        contracts(tmp_path)


def test_the_shipped_contracts_have_no_fault(tmp_path: Path) -> None:
    files = contract_files(tmp_path)
    assert len(files) == len(contracts())
    assert [fault for path in files for fault in faults_of(path)] == []


def text(*changes: tuple[str, str]) -> str:
    """The shipped contract of payments with these texts replaced."""
    written = (CONTRACTS_DIR / "payments.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in written
        written = written.replace(old, new, 1)
    return written


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ("a: [1,\nb: 2\n", [(3, 1, "this is no YAML")]),
        ("", [(1, 1, "is empty, or no contract"), (1, 1, "not as the standard .* 'object'")]),
        (
            text(("apiVersion: v3.1.0", "apiVersion: v4")),
            [(1, 1, "not an ODCS v3"), (1, 1, "standard .*'v4'")],
        ),
        (
            text(("property: notAfterToday", "property: notAfterTomorrow")),
            [(101, 13, "no such property: notAfterTomorrow")],
        ),
        (
            text(("        businessName: phí\n", "        businessName: Số tiền\n")),
            [(87, 9, "column fee: its header “Số tiền” is also that of amount")],
        ),
        (text(("- name: bill_id", "- name: Bill-Id")), [(73, 9, "its name must be")]),
        (text(("- name: bill_id", "- name: change_id")), [(73, 9, "its name must be")]),
        (text(("value: paid_at}", "value: partner_code}")), [(17, 5, "version column partner_code is no")]),
        (
            text(("        physicalType: bigint\n", "        physicalType: money\n")),
            [(80, 9, "column amount: no such form")],
        ),
    ],
)
def test_every_fault_has_its_place(tmp_path: Path, document: str, faults: list[tuple[int, int, str]]) -> None:
    path = write(tmp_path, document)
    found = faults_of(path)
    assert [(each.line, each.column) for each in found] == [fault[:2] for fault in faults]
    for each, (_, _, said) in zip(found, faults, strict=True):
        assert re.search(said, each.reason), str(each)
    with pytest.raises(ContractError, match=f"{path}, line"):
        contracts(tmp_path)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (
            text(("status: active", "status: active\nowner: me")),
            (7, 1, "the standard (ODCS) has no owner here"),
        ),
        (
            text(("domain: cashless", "domain: cashless\ndomain: other")),
            (8, 1, "domain stands here twice"),
        ),
    ],
)
def test_what_does_no_harm_to_a_run_is_a_fault_too(
    tmp_path: Path, document: str, fault: tuple[int, int, str]
) -> None:
    path = write(tmp_path, document)
    assert [(each.line, each.column, each.reason) for each in faults_of(path)] == [fault]
    assert contracts(tmp_path)["payments"] == contracts()["payments"]
