"""The readers alone, without a warehouse: the quick way of CSV equals the slow one, and cells become text."""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Form
from dagster_project.landing import batches, csv_reader
from dagster_project.landing.batches import BatchWriter, batch_schema
from dagster_project.landing.cells import cell_text
from dagster_project.landing.csv_reader import CsvSource
from dagster_project.landing.records import HIDDEN, RefusedError, hide, match_header, normalise

CONTRACT = contracts()["employees"]
HEADER = ",".join(CONTRACT.names)
VALUES = (
    "NV1",
    "2024-01-01",
    "Đặng Ước",
    "PN",
    "active",
    "NULL",
    " x ",
    "",
    "\\N",
    "a\u0300",
    'q"q',
    "a\u00a0",
)


def source_of(tmp_path: Path, text: str) -> CsvSource:
    path = tmp_path / "content.csv"
    path.write_bytes(text.encode())
    return CsvSource(path, False, CONTRACT)


def records_of(source: CsvSource) -> list[list[str]]:
    """row_no, line, field_count and the texts, as texts."""
    rows = [row for batch in source.batches() for row in batch.to_pylist()]
    return [["" if value is None else str(value) for value in row.values()] for row in rows]


def random_file(generator: random.Random) -> tuple[str, list[list[str]]]:
    """A file and the records (line, line, field_count, values) it must become."""
    lines, records = [HEADER], []
    line = 2
    for _ in range(generator.randrange(60)):
        fields = [generator.choice(VALUES[:5]) for _ in CONTRACT.names]
        if generator.random() < 0.1:
            fields[generator.randrange(6)] = generator.choice(VALUES)
        match generator.random():
            case chance if chance < 0.03:
                fields[2] = "two\nlines, and a comma"
            case chance if chance < 0.06:
                fields.pop()
            case chance if chance < 0.09:
                lines.append("")
                line += 1
                continue
        quoted = [f'"{field.replace(chr(34), chr(34) * 2)}"' if "\n" in field else field for field in fields]
        text = ",".join(quoted)
        lines.append(text)
        cleaned = ["" if normalise(field) in ("NULL", "\\N") else normalise(field) for field in fields]
        number = [str(line), str(line)]
        if len(fields) == 6:
            records.append([*number, "", *cleaned])
        else:
            records.append([*number, "5", *[""] * 6])
        line += 1 + text.count("\n")
    return "\n".join(lines) + "\n", records


@pytest.mark.parametrize("seed", range(40))
def test_blocks_of_any_size_give_the_same_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    text, records = random_file(random.Random(seed))
    for size in (1, 200, 1 << 20):
        monkeypatch.setattr(csv_reader, "_READ", size)
        assert records_of(source_of(tmp_path, text)) == records


def test_raw_texts_of_chosen_rows(tmp_path: Path) -> None:
    text = f'{HEADER}\r\nA,x\r\n\r\n"B\r\nb",1,2,3,4,5\r\nC,1,An Bình,3,4,5'
    source = source_of(tmp_path, text)
    found = [(one.row_no, one.raw, one.masked) for one in source.raw_texts([(2, 2), (4, 4), (6, 6)])]
    assert found == [
        (2, "A,x", "***,***"),
        (4, '"B\r\nb",1,2,3,4,5', '"B\r\nb",1,***,3,4,5'),
        (6, "C,1,An Bình,3,4,5", "C,1,***,3,4,5"),
    ]


def test_an_unclosed_quote_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "_LONGEST_QUOTE", 4000)
    monkeypatch.setattr(csv_reader, "_READ", 1000)
    row = "NV1,2024-01-01,An,PN,active,2024-01-01\n"
    source = source_of(tmp_path, f'{HEADER}\n{row}NV2,2024-01-01,"An,PN,active,2024-01-01\n' + row * 1000)
    with pytest.raises(RefusedError, match="opens in the record of line 3 is not closed"):
        records_of(source)


def test_hiding_finds_a_personal_value_in_other_fields() -> None:
    layout = match_header([*CONTRACT.names, "note"], CONTRACT)
    fields = ["NV1", "2024-01-01", "Đặng Ước", "of Đặng Ước", "active", "x", "free text"]
    assert hide(fields, layout, ",") == f"NV1,2024-01-01,{HIDDEN},{HIDDEN},active,x,{HIDDEN}"


def test_hiding_takes_no_longer_for_a_long_word() -> None:
    """Looked for from each of its letters, a name in it would take hours; the test would not end."""
    layout = match_header(CONTRACT.names, CONTRACT)
    word = "ơ" * 1_000_000
    fields = ["NV1", "2024-01-01", "Đặng Ước", word, f"{word} {word}", "x"]
    assert hide(fields, layout, ",") == f"NV1,2024-01-01,{HIDDEN},{word},{HIDDEN},x"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, Form.TEXT, ""),
        (float("nan"), Form.MONEY, ""),
        (125000.0, Form.MONEY, "125000"),
        (-3.0, Form.MONEY, "-3"),
        (182.5, Form.DECIMAL, "182.5"),
        (0.00001, Form.DECIMAL, "0.00001"),
        (912345678.0, Form.PHONE, "912345678"),
        (1234567890123456.0, Form.TEXT, "1234567890123456"),
        (-1234567890123456.0, Form.TEXT, "-1234567890123456"),
        (2.0**53, Form.TEXT, "9007199254740992"),
        (Decimal("125000.00"), Form.MONEY, "125000"),
        (Decimal("1E+5"), Form.MONEY, "100000"),
        (Decimal("0.85"), Form.DECIMAL, "0.85"),
        (True, Form.BOOLEAN, "true"),
        (3, Form.SMALL_INTEGER, "3"),
        (date(2024, 5, 1), Form.DATE, "2024-05-01"),
        (date(2024, 5, 1), Form.MONTH, "2024-05"),
        (date(2024, 5, 2), Form.MONTH, "2024-05-02"),
        (date(2024, 5, 1), Form.TIMESTAMP, "2024-05-01 00:00:00"),
        (date(2024, 5, 1), Form.DATE_OR_TIMESTAMP, "2024-05-01"),
        (datetime(2024, 5, 1), Form.DATE, "2024-05-01"),
        (datetime(2024, 5, 1), Form.MONTH, "2024-05"),
        (datetime(2024, 5, 1, 10, 5), Form.DATE, "2024-05-01 10:05:00"),
        (datetime(2024, 5, 1, 10, 5), Form.TIMESTAMP, "2024-05-01 10:05:00"),
        (datetime(2024, 4, 30, 17, tzinfo=UTC), Form.DATE, "2024-05-01"),
        (datetime(9999, 12, 31, 17, tzinfo=UTC), Form.DATE, "9999-12-31 17:00:00+00:00"),
        (datetime(9999, 12, 31, 17, tzinfo=UTC), None, "9999-12-31 17:00:00+00:00"),
        (
            datetime(2024, 5, 1, tzinfo=timezone(timedelta(hours=7))),
            Form.TIMESTAMP,
            "2024-05-01 00:00:00+07:00",
        ),
    ],
)
def test_cells_as_text(value: Any, form: Form | None, text: str) -> None:
    assert cell_text(value, form) == text


def test_a_batch_is_full_by_its_rows_or_by_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of long texts would fill the memory long before there are many of them."""
    monkeypatch.setattr(batches, "BATCH_ROWS", 3)
    monkeypatch.setattr(batches, "BATCH_CHARS", 10)
    writer = BatchWriter(batch_schema(["one"], False))
    full = []
    for text in ("a", "b", "c", "x" * 10, "d"):
        writer.write(1, 1, None, [text])
        full.append(writer.is_full)
        if writer.is_full:
            assert writer.take().num_rows in (1, 3)
    assert full == [False, False, True, True, False]
