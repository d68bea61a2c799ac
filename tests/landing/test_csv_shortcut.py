"""Plain blocks of CSV, which Arrow parts, give the records that they give when each is taken apart."""

from pathlib import Path
from random import Random

import pytest

from dagster_project.contracts.catalog import contracts
from dagster_project.landing import csv_reader
from dagster_project.landing.csv_reader import DELIMITERS, CsvSource
from dagster_project.landing.records import RefusedError

CONTRACT = contracts()["employees"]
PLAIN = ("NV1", "2024-01-01", "Đặng Ước", "PN", "active", "", "NA", "null", "nan", "a b", "O'Neil")
# What is trimmed, means empty, is written otherwise or could be taken for an end.
SPECIAL = (
    *(
        "NULL",
        "\\N",
        " x",
        "x ",
        " ",
        "\ta",
        "a\t",
        "a\x0b",
        "\x0ca",
        "a\x1c",
        "\x1fa",
        "a\x85",
        "\u00a0a",
        "a\u3000",
    ),
    *("\ufeffa", "a\u0300", 'q"q', '"a,b"', '"two\nlines"', '"a\r\nb"', "a\\b", "a\u2028b", "1,2;3|4"),
)
ENDS = ("\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n")
ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16")

Records = list[dict[str, object]]


def file_text(random: Random) -> str:
    delimiter = random.choice(DELIMITERS)
    oddness, end = random.choice((0, 0, 0.01, 0.1)), random.choice(("\n", "\n", "\r\n", "\r"))
    lines = [delimiter.join(CONTRACT.names)]
    for _ in range(random.randrange(40)):
        fields = [random.choice(SPECIAL if random.random() < oddness else PLAIN) for _ in CONTRACT.names]
        if random.random() < oddness / 5:
            fields = fields[: random.randrange(7)] + ["more"] * random.randrange(2)
        lines.append(delimiter.join(fields))
    text = "".join(line + (random.choice(ENDS) if random.random() < oddness else end) for line in lines)
    return text if random.random() < 0.7 else text.rstrip("\r\n") + random.choice(("", " "))


def records(path: Path) -> Records | str:
    """All records of the file, or why it is refused."""
    try:
        return [row for batch in CsvSource(path, False, CONTRACT).batches() for row in batch.to_pylist()]
    except RefusedError as error:
        return str(error)


def the_same_either_way(folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int, files: int) -> None:
    random, plain = Random(seed), CsvSource._plain
    taken: list[bool] = []

    def noted(source: CsvSource, text: str, first_line: int) -> object:
        batch = plain(source, text, first_line)
        taken.append(batch is not None)
        return batch

    for number in range(files):
        path = folder / f"{number}.csv"
        path.write_bytes(file_text(random).encode(random.choice(ENCODINGS)))
        for size in (1, 40, 300, 1 << 18):
            monkeypatch.setattr(csv_reader, "_READ", size)
            monkeypatch.setattr(CsvSource, "_plain", noted)
            quick = records(path)
            monkeypatch.setattr(CsvSource, "_plain", lambda *_: None)
            assert quick == records(path), path
    assert any(taken)
    assert not all(taken)


def test_records_are_the_same_either_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    the_same_either_way(tmp_path, monkeypatch, 1, 150)


@pytest.mark.extended
@pytest.mark.parametrize("seed", range(1000, 1050))
def test_records_are_the_same_either_way_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    the_same_either_way(tmp_path, monkeypatch, seed, 400)
