"""What may be declared of the forms of files, and what is refused with its reason."""

from dataclasses import replace
from typing import Any

import pytest
from test_contracts import custom, document

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.date_pattern import DatePattern, DatePatternError, compile_patterns
from dagster_project.contracts.file_form import PLAIN, FileForm, FileFormError, form_of, parse_file_forms
from dagster_project.contracts.model import ContractError, fold_header
from dagster_project.contracts.parse import parse_contract


def parsed(*entries: Any) -> tuple[FileForm, ...]:
    return parse_file_forms(entries, ("customer_code", "amount"), fold_header)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"dates": ["MM/dd/yyyy"]}, "declaration 1: MM/dd/yyyy: month-first is never read"),
        ({"dates": ["MMddyyyy HH:mm"]}, "month-first is never read"),
        ({"dates": ["MON-dd-yyyy"]}, "month-first is never read"),
        ({"dates": ["yyyy-dd-MM"]}, "a date is year, month, day or day, month, year"),
        ({"dates": ["DD-MON-YY"]}, "DD-MON-YY: D stands for nothing"),
        ({"dates": ["ddMMyy", "yyMMdd"]}, "ddMMyy and yyMMdd: one text could have both forms"),
        ({"dates": ["ddMMyyyy", "yyyyMMdd"]}, "one text could have both forms"),
        ({"dates": ["dd/MM/yy HH:mm", "yy/MM/d H:mm"]}, "one text could have both forms"),
        ({"dates": ["dMMyyyy"]}, "need a fixed width"),
        ({"dates": ["HH:mm"]}, "a date is year, month, day"),
        ({"dates": ["dd/MM/yyyy HH"]}, "a time is HH:mm"),
        ({"dates": ["dd/MM/yyyy hh:mm"]}, r"goes with a \(AM/PM\)"),
        ({"dates": "yyyyMMdd"}, "dates is a list of texts"),
        ({"dates": [20240903]}, "20240903 is no text"),
        ({"encoding": "klingon"}, "encoding: klingon is neither tcvn3, vni nor"),
        ({"encoding": "base64"}, "encoding: base64 is neither"),
        ({"encoding": 1258}, "1258 is no text; put it in quotes"),
        ({"delimiter": "||"}, "delimiter is one ASCII sign"),
        ({"delimiter": "a"}, "delimiter is one ASCII sign"),
        ({"headers": {"MA_KH": "customer"}}, "headers: no column customer"),
        ({"headers": {"Mã KH": "amount", "ma kh": "customer_code"}}, "ma kh is there twice"),
        ({"headers": {False: "amount"}}, "headers: False is no text"),
        ({"headers": ["MA_KH"]}, "headers is a mapping"),
        ({"decimal": ";"}, 'decimal is "." or ","'),
        ({"decimal": ".", "grouping": "."}, "the same sign"),
        ({"grouping": " "}, 'decimal is "." or ","'),
        ({"grouping": "_", "decimal": "."}, "grouping is one of"),
        ({"trueTexts": [True]}, "trueTexts: True is no text; put it in quotes"),
        ({"trueTexts": ["x"], "falseTexts": ["X"]}, "x is both true and false"),
        ({"nulls": [" "]}, "what is empty is always empty"),
        ({"codec": "vni"}, "codec is none of"),
        ({"files": "a/*"}, "declares nothing"),
        ({"files": "/a/*", "encoding": "vni"}, "files is a pattern under the folder"),
        ("tcvn3", "not a mapping"),
    ],
)
def test_what_cannot_be_declared(entry: Any, message: str) -> None:
    with pytest.raises(FileFormError, match=message):
        parsed(entry)


def test_a_declaration_behind_one_for_all_files_is_refused() -> None:
    with pytest.raises(FileFormError, match="declaration 1 holds for every file"):
        parsed({"encoding": "vni"}, {"files": "a/*", "encoding": "tcvn3"})


def test_the_contract_file_that_holds_it_is_named() -> None:
    contract = document("bills")
    custom(contract, "fileForms", [{"encoding": "vni"}, {"dates": ["MM/dd/yy"]}])
    with pytest.raises(ContractError, match=r"^bills.yaml: fileForms, declaration 2: MM/dd/yy: month-first"):
        parse_contract(contract, "bills.yaml")
    custom(contract, "fileForms", {"encoding": "vni"})
    with pytest.raises(ContractError, match="fileForms is a list"):
        parse_contract(contract, "bills.yaml")


def test_declarations_are_part_of_the_fingerprint() -> None:
    prints = {contracts()["bills"].fingerprint}
    for entry in (
        {"encoding": "vni"},
        {"encoding": "vni", "files": "a/*"},
        {"decimal": ","},
        {"decimal": ",", "grouping": ""},
        {"dates": ["yyyyMMdd"]},
        {"headers": {"SO_TIEN": "total_amount"}},
        {"nulls": ["-"]},
        {"trueTexts": ["-"]},
        {"falseTexts": ["-"]},
        {"delimiter": "^"},
    ):
        contract = document("bills")
        custom(contract, "fileForms", [entry])
        prints.add(parse_contract(contract, "bills.yaml").fingerprint)
    assert len(prints) == 11


@pytest.mark.parametrize(
    ("files", "path", "fits"),
    [
        (None, "a/b.csv", True),
        ("*.csv", "b.csv", True),
        ("*.csv", "a/b/c.csv", True),
        ("*.csv", "a.csv/b.xlsx", False),
        ("a/*.csv", "a/b.csv", True),
        ("a/*.csv", "a/b/c.csv", False),
        ("a/*.csv", "x/a/b.csv", False),
        ("a/**", "a/b/c.csv", True),
        ("a/**/c.csv", "a/c.csv", True),
        ("**/a/*", "x/y/a/c.csv", True),
        ("b?.csv", "b1.csv", True),
        ("b[1].csv", "b1.csv", False),
        ("Đối soát/*", "Đo\u0302\u0301i soa\u0301t/c.csv", True),
    ],
)
def test_which_files_a_declaration_is_for(files: str | None, path: str, fits: bool) -> None:
    assert FileForm(files=files).fits(path) is fits
    contract = replace(contracts()["bills"], file_forms=(FileForm(files=files, encoding="vni"),))
    assert (contract.file_form(f"bills/{path}") != PLAIN) is fits


def test_days_and_months_of_equal_shape_are_two_things() -> None:
    days, months = compile_patterns(["ddMMyy", "yyyyMM"])
    assert days.read("010924") == (2024, 9, 1, "", "")
    assert months.read("202409") == (2024, 9, None, "", "")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("dd-MON-yy", "31-FEB-24"),
        ("dd-MON-yy", "3-SEP-24"),
        ("dd.MM.yyyy", "03x09x2024"),
        ("yyyyMMdd", "２０２４０９０３"),
        ("dd/MM/yyyy HH:mm", "03/09/2024 24:00"),
        ("dd/MM/yyyy hh:mm a", "03/09/2024 00:10 AM"),
        ("yyyy", ""),
    ],
)
def test_what_does_not_have_the_form(pattern: str, text: str) -> None:
    if pattern == "yyyy":
        with pytest.raises(DatePatternError):
            DatePattern(pattern)
    else:
        assert DatePattern(pattern).read(text) is None


def test_letters_in_quotes_stand_for_themselves() -> None:
    assert DatePattern("'ngày 'dd'/'MM/yyyy").read("ngày 03/09/2024") == (2024, 9, 3, "", "")


HEADERS = {"Z_KH": "customer_code", "A_TIEN": "amount", "GHI_CHU": None}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"delimiter": ";"}, {"files": "x/*", "delimiter": ";"}, True),
        ({"delimiter": ";"}, {"files": "y/*", "delimiter": ";"}, False),
        ({"headers": HEADERS}, {"headers": dict(reversed(HEADERS.items()))}, True),
        ({"headers": HEADERS}, {"headers": HEADERS | {"GHI_CHU": "amount"}}, False),
        ({"nulls": ["-", "x"]}, {"nulls": ["x", "-"]}, True),
        ({"nulls": ["-"]}, {"falseTexts": ["-"]}, False),
        ({"falseTexts": ["-"]}, {"trueTexts": ["-"]}, False),
        ({"dates": ["dd-MON-yy", "yyyyMMdd"]}, {"dates": ["yyyyMMdd", "dd-MON-yy"]}, False),
        ({"dates": ["dd-MON-yy"]}, {"dates": ["dd-MON-yyyy"]}, False),
        ({"decimal": ","}, {"grouping": "."}, True),
        ({"decimal": ","}, {"decimal": ",", "grouping": ""}, False),
        ({"encoding": "TCVN3"}, {"encoding": "tcvn3"}, True),
        ({"encoding": "vni"}, {"encoding": "tcvn3"}, False),
    ],
)
def test_forms_have_one_fingerprint_if_they_read_the_same(one: Any, other: Any, is_same: bool) -> None:
    fingerprints = {form_of(parsed(entry), "x/a.csv").fingerprint for entry in (one, other)}
    assert (len(fingerprints) == 1) is is_same


def test_the_fingerprints_that_ledgers_have_stay() -> None:
    (declared,) = parsed({"dates": ["dd-MON-yy"], "nulls": ["-"], "headers": {"MA_KH": "customer_code"}})
    assert [form.fingerprint[:8] for form in (PLAIN, declared)] == ["4f53cda1", "1a23b506"]
