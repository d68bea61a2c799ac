"""Every reason of a refusal has its Vietnamese; which file is refused for which is tested with the readers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dagster_project
from dagster_project.landing.refusals import in_both, in_vietnamese

# Any value: a number of a line, a name of a column, what a library said.
VALUE = "7"


def reasons() -> Iterator[str]:
    """Every reason that the code gives, with a value in its places."""
    for file in Path(dagster_project.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for message in messages(node):
                text = example(message)
                # One that begins with a value is made of another reason: see below.
                if text and not text.startswith(VALUE):
                    yield text


def messages(node: ast.AST) -> Iterator[ast.expr]:
    """What a piece of code gives for a reason: to the errors, in a variable `fault`, by a function that makes one."""
    match node:
        case ast.Call(func=ast.Name(id="RefusedError" | "HeaderError"), args=[message, *_]):
            yield message
        case ast.Assign(targets=[ast.Name(id="fault")], value=ast.IfExp(body=one, orelse=other)):
            yield from (one, other)
        case ast.Assign(targets=[ast.Name(id="fault")], value=message):
            yield message
        case ast.FunctionDef(name="_fault" | "why_refused"):
            yield from (part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value)


def example(message: ast.expr) -> str:
    if isinstance(message, ast.Constant):
        return message.value if isinstance(message.value, str) else ""
    if isinstance(message, ast.JoinedStr):
        return "".join(map(example, message.values))
    if isinstance(message, ast.FormattedValue):
        # An ending that depends on a number is not a value.
        return example(message.value.body) if isinstance(message.value, ast.IfExp) else VALUE
    return ""


def test_every_reason_in_the_code_has_its_vietnamese() -> None:
    found = sorted(set(reasons()))
    assert len(found) > 20
    assert {
        "bytes that are no 7",
        "its name is not valid UTF-8: rename it",
        "a byte that is no letter of 7",
    } <= set(found)
    assert [reason for reason in found if in_vietnamese(reason) is None] == []


@pytest.mark.parametrize(
    ("reason", "vietnamese"),
    [
        (
            "line 3, column Tên khách hàng: a byte that is no letter of TCVN3",
            "dòng 3, cột Tên khách hàng: có byte không phải là chữ của bảng mã TCVN3",
        ),
        (
            "line 3, field 2: U+1EA1 has no meaning there in VNI; is the text Unicode already?",
            "dòng 3, trường thứ 2: U+1EA1 không có nghĩa ở đó trong bảng mã VNI; văn bản đã là Unicode chăng?",
        ),
        (
            "sheet Kỳ 1, row 5, column Tên: U+00DF has no meaning there in VNI",
            "trang tính Kỳ 1, dòng 5, cột Tên: U+00DF không có nghĩa ở đó trong bảng mã VNI",
        ),
        (
            "sheet Kỳ 1, row 12: the total is 300, but its rows sum up to 200 (bad rows among them: 1)",
            "trang tính Kỳ 1, dòng 12: dòng tổng cộng ghi 300, nhưng tổng các dòng là 200 (trong đó có 1 dòng lỗi)",
        ),
        (
            "required columns missing: due_on, status (line 1 is taken for the header: titles above it are read in "
            "Excel only)",
            "thiếu cột bắt buộc: due_on, status (dòng 1 được coi là dòng tiêu đề: chỉ tệp Excel mới được có dòng "
            "khác ở trên)",
        ),
        (
            "the database cannot take its rows (SQLSTATE 22003)",
            "cơ sở dữ liệu không nhận được các dòng của tệp (SQLSTATE 22003)",
        ),
        (
            "line 2, column Mã: khách: bytes that are no utf-8-sig",
            "dòng 2, cột Mã: khách: có byte không thuộc bảng mã utf-8-sig",
        ),
        (
            "sheet Kỳ: 1, row 3: broken gzip file: what: ever",
            "trang tính Kỳ: 1, dòng 3: tệp gzip hỏng: what: ever",
        ),
        ("its name is not valid UTF-8: rename it", "tên tệp không phải UTF-8 hợp lệ: hãy đổi tên tệp"),
    ],
)
def test_places_and_values_are_kept(reason: str, vietnamese: str) -> None:
    assert in_vietnamese(reason) == vietnamese
    assert in_both(reason) == f"{vietnamese} / {reason}"


def test_a_reason_of_another_version_stays_as_it_is() -> None:
    assert in_vietnamese("line 3: out of paper") is None
    assert in_both("line 3: out of paper") == "line 3: out of paper"
