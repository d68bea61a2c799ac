"""Every example of the page for those who send files (docs/your-files.md) is loaded, and becomes what the page says."""

import re
from pathlib import Path

import pytest
import yaml
from landing_folder import Landing, write_workbook

from dagster_project.contracts.catalog import CONTRACTS_DIR

PAGE = Path(__file__).parents[2] / "docs" / "your-files.md"
_BLOCK = re.compile(r"^```(csv|xlsx|yaml) (\S+)\n(.*?)^```\n(?:\*(.*?)\*)?", re.M | re.S)
_COUNT = re.compile(r"(\d+) (nạp|cách ly|mục đã sửa)")
_NAMES = {"nạp": "loaded", "cách ly": "quarantined", "mục đã sửa": "closed"}


def examples() -> list[tuple[str, str, str, str]]:
    """Kind, name, text and what the page says of it, in the page's order."""
    return [match.groups("") for match in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]  # type: ignore[misc]


def declare(landing: Landing, source: str, forms: str) -> None:
    """The declaration of the page in a contract of the operator's own."""
    contract = yaml.safe_load((CONTRACTS_DIR / f"{source}.yaml").read_text(encoding="utf-8"))
    contract["schema"][0]["customProperties"].append(
        {"property": "fileForms", "value": yaml.safe_load(forms)}
    )
    file = landing.settings.overlay_folder() / "contracts" / f"{source}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False), encoding="utf-8")


def put(landing: Landing, kind: str, name: str, text: str) -> None:
    if kind == "xlsx":
        write_workbook(landing.root / name, {"Sheet1": [line.split("\t") for line in text.splitlines()]})
    else:
        landing.put(name, text)


def test_every_example_becomes_what_the_page_says(landing: Landing) -> None:
    shown = examples()
    assert {kind for kind, *_ in shown} == {"csv", "xlsx", "yaml"}
    for kind, name, text, said in shown:
        if kind == "yaml":
            declare(landing, name, text)
            continue
        before = landing.value("select count(*) from bi.quarantine where status = 'repaired'")
        put(landing, kind, name, text)
        landing.load()
        ((loaded, quarantined, refused),) = landing.query(
            f"select rows_loaded, rows_quarantined, refused_reason from bi.load_audit where file = '{name}'"
        )
        if said.startswith("từ chối"):
            assert said.partition("refused: ")[2] == refused
            continue
        assert refused is None, (name, refused)
        counted = {_NAMES[word]: int(number) for number, word in _COUNT.findall(said)}
        assert counted.get("loaded") == loaded, name
        assert counted.get("quarantined", 0) == quarantined, name
        closed = landing.value("select count(*) from bi.quarantine where status = 'repaired'") - before
        assert counted.get("closed", 0) == closed, name


def test_what_else_the_page_says_of_its_examples(landing: Landing) -> None:
    for kind, name, text, _ in examples():
        declare(landing, name, text) if kind == "yaml" else put(landing, kind, name, text)
    landing.load()
    assert landing.value("select customer_name from raw.customers") == "Nguyễn Văn Hùng"
    assert landing.query(
        "select amount, fee, paid_at::text from raw.payments where partner_code = 'BIDV'"
    ) == [(1250000, None, "2024-05-06 15:05:09")]
    assert (
        landing.value("select extra ->> 'Ghi chú' from raw.payments where transaction_id = 'FT001'")
        == "khách quen"
    )
    reasons = landing.query("select line, reason from bi.quarantine where file like '%loi.csv' order by line")
    assert [reason.split(";")[0] for _, reason in reasons] == [
        "amount: not an amount in whole VND",
        "amount: not greater than 0",
        "paid_at: not a date with a time",
        "wrong number of fields: 4 instead of 6",
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "yaml"])
def test_the_page_has_examples_of_each_kind(kind: str) -> None:
    assert [shown for shown, *_ in examples()].count(kind) >= 1
