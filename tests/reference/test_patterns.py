"""Patterns of file names, as PostgreSQL reads them."""

import pytest
from overlay_folder import OverlayFolder

from dagster_project.reference.patterns import PatternError, path_pattern


@pytest.mark.parametrize(
    ("files", "path", "groups"),
    [
        ("vcb.csv", "payments/vcb.csv", []),
        ("vcb.csv", "payments/VCB.CSV", []),
        ("vcb.csv", "payments/vcbxcsv", None),
        ("vcb.csv", "bills/vcb.csv", None),
        ("vcb.csv", "payments/a/vcb.csv", None),
        ("vcb*.csv", "payments/vcb.csv", []),
        ("vcb*.csv", "payments/vcb_1.csv", []),
        ("vcb*.csv", "payments/vcb/1.csv", None),
        ("vcb?.csv", "payments/vcb1.csv", []),
        ("vcb?.csv", "payments/vcb.csv", None),
        ("**/vcb.csv", "payments/vcb.csv", []),
        ("**/vcb.csv", "payments/2024/05/vcb.csv", []),
        ("**/vcb.csv", "payments/xvcb.csv", None),
        ("vcb/**", "payments/vcb/a/b.csv", []),
        ("sao kê (1)+[2]^$|.csv", "payments/sao kê (1)+[2]^$|.csv", []),
        ("a.{yyyy}-{MM}-{dd}.csv", "payments/a.2024-05-31.csv", ["2024", "05", "31"]),
        ("a.{yyyy}-{MM}-{dd}.csv", "payments/a.2024-13-31.csv", None),
        ("a.{yyyy}-{MM}-{dd}.csv", "payments/a.2024-05-32.csv", None),
        ("a.{yyyy}-{MM}-{dd}.csv", "payments/a.2024-5-3.csv", None),
        ("{dd}{MM}{yyyy}*.xlsx", "payments/31052024_vcb.xlsx", ["31", "05", "2024"]),
        ("*{yyyy}{MM}{dd}*", "payments/vcb_20240531_1.csv.gz", ["2024", "05", "31"]),
    ],
)
def test_what_a_pattern_means(
    overlay: OverlayFolder, files: str, path: str, groups: list[str] | None
) -> None:
    pattern = path_pattern("payments", files, "day")
    [(matched, parts)] = overlay.query(
        "select %s ~ %s, regexp_match(%s, %s)", path, pattern.regex, path, pattern.regex
    )
    assert matched == (groups is not None)
    if groups:
        assert parts == groups
        assert None not in (pattern.year_group, pattern.month_group, pattern.day_group)


def test_which_group_is_what() -> None:
    def groups(files: str, every: str = "month") -> tuple[int | None, ...]:
        pattern = path_pattern("bills", files, every)
        return pattern.year_group, pattern.month_group, pattern.day_group

    assert groups("*.csv") == (None, None, None)
    assert groups("{yyyy}/{MM}.csv") == (1, 2, None)
    assert groups("{MM}-{yyyy}.csv") == (2, 1, None)
    assert groups("{yyyy}{MM}{dd}.csv", "day") == (1, 2, 3)
    assert groups("{dd}.{MM}.{yyyy}.csv", "working_day") == (3, 2, 1)


@pytest.mark.parametrize(
    ("files", "every", "reason"),
    [
        ("{MM}{dd}{yyyy}.csv", "day", "the placeholders are {MM} {dd} {yyyy}"),
        ("{yyyy}{dd}{MM}.csv", "day", "the placeholders are {yyyy} {dd} {MM}"),
        ("{dd}{MM}.csv", "day", "the placeholders are {dd} {MM}"),
        ("{yyyy}.csv", "month", "the placeholders are {yyyy}"),
        ("{yyyy}/{yyyy}{MM}{dd}.csv", "day", "stands there twice"),
        ("{yyyy}{MM}.csv", "day", "need {dd}"),
        ("{yyyy}{MM}.csv", "working_day", "need {dd}"),
        ("{yyyy}{mm}.csv", "month", "no such placeholder: {mm}"),
        ("{}.csv", "month", "no such placeholder: {}"),
        ("{yyyy{MM}.csv", "month", "a { that belongs to no placeholder"),
        ("a}.csv", "month", "a } that belongs to no placeholder"),
        ("/a.csv", "day", "not a path"),
        ("a/", "day", "not a path"),
        ("a//b.csv", "day", "not a path"),
        ("../bills/a.csv", "day", "not a path"),
        ("a\\b.csv", "day", "not a path"),
    ],
)
def test_what_is_no_pattern(files: str, every: str, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        path_pattern("payments", files, every)
    assert reason in str(caught.value)
