"""The contracts say what the sources are agreed to be, and the model refuses what is no contract."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.contracts.catalog import CONTRACTS_DIR, contracts
from dagster_project.contracts.model import ContractError, DataThrough, Form, fold_header
from dagster_project.contracts.parse import parse_contract
from dagster_project.raw.ddl import create_statements, key_index_statement

# `*` key, `?` may be empty, `(a/b)` closed list; in contract order.
SOURCES = {
    "customers": "customer_code* effective_from* customer_name contract_no phone? address? commune_code "
    "power_unit_code customer_type(household/business/public/other) status(active/closed) updated_at",
    "bills": "bill_id* customer_code bill_type(electricity/service) bill_month cycle(1/2/3) issued_on due_on "
    "kwh? amount_before_vat vat_amount total_amount status(issued/cancelled/replaced) replaced_by? "
    "updated_at",
    "payments": "partner_code* transaction_id* kind(payment/reversal) reverses_transaction_id? channel_code? "
    "customer_code bill_id? amount fee? paid_at partner_settled_on? collection_point_code?",
    "auto_debit_mandates": "mandate_id* customer_code bank_code signed_on ended_on? updated_at",
    "collection_points": "collection_point_code* name operator(power_unit/partner) commune_code "
    "serves_commune_codes opened_on planned_close_on? closed_on? authority_reported_on? updated_at",
    "campaigns": "campaign_id* name kind(household_visit/at_counter/mass_notice/pilot_commune/other) "
    "starts_on ends_on? updated_at",
    "campaign_contacts": "contact_id* campaign_id customer_code employee_code? bank_code? contacted_at "
    "place(home/counter/bank/phone/other) outcome(not_reached/refused/undecided/agreed/registered) "
    "updated_at",
    "notifications": "notification_id* campaign_id? customer_code? commune_code? "
    "topic(counter_closure/bill_due/campaign/other) "
    "medium(sms/zalo/email/app/letter/mass_media/public_posting) sent_at delivery(unknown/failed/delivered) "
    "delivered_at? updated_at",
    "phone_reviews": "review_id* customer_code phone? reviewed_at "
    "result(missing/unreachable/not_owner/owner_confirmed) updated_at",
    "feedback": "feedback_id* customer_code? commune_code? received_at "
    "topic(counter_closure/payment/bill/other) text? status(open/closed) closed_at? reopened updated_at",
    "targets": "month* level(company/power_unit/district/commune/employee)* code* "
    "metric(cashless_rate_customers/cashless_rate_bills/cashless_rate_amount/conversions)* target updated_at",
    "employees": "employee_code* effective_from* employee_name power_unit_code status(active/left) "
    "updated_at",
}
RANKS = {
    "customers": "status",
    "bills": "status",
    "feedback": "status",
    "employees": "status",
    "notifications": "delivery",
    "phone_reviews": "result",
    "campaign_contacts": "outcome",
}


def written(source: str) -> str:
    """A contract in the short notation of SOURCES."""
    return " ".join(
        column.name
        + (f"({'/'.join(column.values)})" if column.values else "")
        + ("*" if column.key else "")
        + ("" if column.required else "?")
        for column in contracts()[source].columns
    )


def document(source: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CONTRACTS_DIR / f"{source}.yaml").read_text(encoding="utf-8"))
    return loaded


def custom(contract: dict[str, Any], name: str, value: Any) -> None:
    """Sets a custom property of the table."""
    properties = contract["schema"][0]["customProperties"]
    properties[:] = [item for item in properties if item["property"] != name]
    properties.append({"property": name, "value": value})


def test_the_sources() -> None:
    assert set(contracts()) == set(SOURCES)


@pytest.mark.parametrize("source", SOURCES)
def test_columns_keys_and_closed_lists(source: str) -> None:
    assert written(source) == SOURCES[source]


@pytest.mark.parametrize("source", SOURCES)
def test_version_rank_and_money(source: str) -> None:
    contract = contracts()[source]
    assert contract.version_column == ("paid_at" if source == "payments" else "updated_at")
    assert contract.rank_column == RANKS.get(source)
    assert contract.money_column == {"bills": "total_amount", "payments": "amount"}.get(source)


def test_personal_columns() -> None:
    personal = {
        column.name for contract in contracts().values() for column in contract.columns if column.personal
    }
    assert personal == {
        "customer_code", "customer_name", "contract_no", "phone", "address", "text", "employee_name",
    }  # fmt: skip
    for contract in contracts().values():
        assert all(column.personal for column in contract.columns if column.name in personal)


def test_forms_follow_the_names() -> None:
    for contract in contracts().values():
        for column in contract.columns:
            if column.name.endswith("_on") or column.name == "effective_from":
                assert column.form is Form.DATE, column
            elif column.name == "updated_at":
                assert column.form is Form.DATE_OR_TIMESTAMP, column
            elif column.name.endswith("_at"):
                assert column.form is Form.TIMESTAMP, column
            elif column.name.endswith(("_code", "_id", "_no")):
                assert column.form is Form.TEXT, column
            elif "amount" in column.name or column.name == "fee":
                assert column.form is Form.MONEY, column


@pytest.mark.parametrize("source", SOURCES)
def test_the_files_are_odcs_contracts(source: str) -> None:
    contract = document(source)
    assert (contract["kind"], contract["apiVersion"], contract["status"]) == (
        "DataContract",
        "v3.1.0",
        "active",
    )
    assert contract["name"] == source
    (table,) = contract["schema"]
    assert (table["name"], table["physicalName"]) == (source, f"raw.{source}")
    keys = [entry["primaryKeyPosition"] for entry in table["properties"] if entry.get("primaryKey")]
    assert keys == list(range(1, len(keys) + 1))
    assert all(entry["description"].endswith(".") for entry in table["properties"])


def test_raw_tables_come_from_the_contract() -> None:
    create, *_ = create_statements(contracts()["targets"])
    assert create == (
        'create table if not exists raw."targets" ("month" date, "level" text collate "C", '
        '"code" text collate "C", "metric" text collate "C", "target" numeric, "updated_at" timestamp, '
        "file_id integer not null, line integer not null, version_at timestamp not null, "
        "version_rank smallint not null, is_duplicate boolean not null, extra jsonb, "
        "change_id integer not null, is_key_repeated boolean not null)"
    )
    assert key_index_statement(contracts()["targets"]).endswith(
        'on raw."targets" ("month", "level", "code", "metric")'
    )


@pytest.mark.parametrize(
    ("header", "folded"),
    [
        ("Mã khách hàng", "ma khach hang"),
        ("  MÃ  KHÁCH\u00a0HÀNG ", "ma khach hang"),
        ("Địa chỉ", "dia chi"),
        ("ĐIỆN NĂNG", "dien nang"),
        ("Customer_Code", "customer_code"),
    ],
)
def test_folded_headers(header: str, folded: str) -> None:
    assert fold_header(header) == folded


def test_no_two_columns_of_a_source_share_a_header() -> None:
    for contract in contracts().values():
        named = sum(2 if column.vietnamese else 1 for column in contract.columns)
        assert len(contract.headers) == named


def test_the_fingerprint_changes_with_the_rules_only() -> None:
    original = contracts()["bills"].fingerprint
    described = document("bills")
    described["schema"][0]["properties"][0]["description"] = "Another text."
    assert parse_contract(described, "bills").fingerprint == original
    wider = document("bills")
    wider["schema"][0]["properties"][6]["required"] = False
    assert parse_contract(wider, "bills").fingerprint != original


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda contract: contract.update(kind="Other"), "not an ODCS v3 data contract"),
        (
            lambda contract: contract["schema"][0]["properties"][1].update(logicalType="object"),
            "no such form",
        ),
        (lambda contract: contract["schema"][0]["properties"][1].update(name="bill_id"), "named twice"),
        (lambda contract: contract["schema"][0]["properties"][0].update(primaryKey=False), "primary key"),
        (lambda contract: contract["schema"][0].pop("customProperties"), "versionColumn"),
        (
            lambda contract: contract["schema"][0]["customProperties"][2].update(value="price"),
            "no column price",
        ),
        (lambda contract: custom(contract, "lookups", [["customer_code"], ["house"]]), "no column house"),
        (lambda contract: custom(contract, "dataThrough", {"column": "paid_at"}), "no column paid_at"),
        (
            lambda contract: custom(
                contract, "dataThrough", {"column": "updated_at", "where": {"kind": "payment"}}
            ),
            "no column kind",
        ),
        (lambda contract: custom(contract, "dataThrough", {"column": "issued_on"}), "no moment"),
        (lambda contract: contract["schema"][0]["properties"][11].pop("quality"), "has no closed list"),
        (
            lambda contract: contract["schema"][0]["properties"][11]["quality"][0].update(metric="rowCount"),
            "unknown quality rule",
        ),
        (
            lambda contract: contract["schema"][0]["properties"][0]["logicalTypeOptions"].update(
                maxLength="200"
            ),
            "maxLength: '200' is no length",
        ),
        (lambda contract: contract.update(fileForms=[]), "fileForms belongs into customProperties"),
        (
            lambda contract: contract["schema"][0]["properties"][0].update(aliases=["Mã"]),
            "aliases belongs into customProperties",
        ),
    ],
)
def test_what_is_no_contract(change: Any, message: str) -> None:
    contract = document("bills")
    change(contract)
    with pytest.raises(ContractError, match=message):
        parse_contract(contract, "bills.yaml")


def test_how_far_data_reach_and_how_rows_are_looked_up() -> None:
    through = {name: contract.data_through for name, contract in contracts().items() if contract.data_through}
    assert through == {"payments": DataThrough("paid_at", (("kind", "payment"),))}
    assert {name: contract.lookups for name, contract in contracts().items() if contract.lookups} == {
        "bills": (("customer_code",),),
        "payments": (("bill_id",), ("customer_code",), ("partner_code", "reverses_transaction_id")),
        "auto_debit_mandates": (("customer_code",),),
    }


def test_every_contract_file_is_loaded() -> None:
    assert {path.stem for path in Path(CONTRACTS_DIR).glob("*.yaml")} == set(contracts())
