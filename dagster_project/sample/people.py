"""Invented Vietnamese names, addresses and telephone numbers. Taken from no list of people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dagster_project.sample.spans import Ints


def _words(text: str) -> npt.NDArray:
    return np.array(text.split())


FAMILY = _words("Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Tạ Tống Mai Trịnh Lương")
MIDDLE = _words("Văn Thị Đức Hữu Quang Minh Ngọc Thanh Xuân Thu Công Đình Kim Hồng Bá")
GIVEN = _words(
    "An Bình Chiến Cường Dũng Dung Giang Hà Hải Hạnh Hiền Hiếu Hòa Hoa Hùng Hương Huệ Khánh Lan Liên Linh "
    "Long Mai Nam Nga Nghĩa Nhung Oanh Phúc Phương Quân Quyên Sơn Tâm Thảo Thắng Thủy Thúy Tiến Toàn Trang "
    "Trung Tuấn Tuyết Uyên Vân Việt Vinh Yến Ước"
)
FIRMS = np.array(["Công ty TNHH", "Công ty Cổ phần", "Hộ kinh doanh", "Doanh nghiệp tư nhân"])
TRADES = np.array(
    ["Thương mại", "Xây dựng", "Cơ khí", "May mặc", "Chế biến", "Vật liệu", "Dịch vụ", "Vận tải"]
)
PUBLIC = np.array(["Trường Tiểu học", "Trạm Y tế", "Trường Mầm non", "Nhà văn hóa", "Trường THCS"])
MOBILE_PREFIXES = _words(
    "032 033 034 035 036 037 038 039 070 076 077 078 079 081 082 083 084 085 086 088 089 090 091 093 094 096 "
    "097 098"
)
LANES = ("Thôn", "Xóm", "Đội", "Tổ dân phố")


def phones(rng: np.random.Generator, count: int) -> npt.NDArray:
    """Mobile numbers in today's ten digits, all with 000 after the prefix: nobody's is meant."""
    prefix = MOBILE_PREFIXES[rng.integers(0, len(MOBILE_PREFIXES), count)]
    tail = rng.integers(0, 10_000, count)
    return np.array(
        [f"{p}000{t:04d}" for p, t in zip(prefix.tolist(), tail.tolist(), strict=True)], dtype=object
    )


def person_names(rng: np.random.Generator, count: int) -> list[str]:
    """Family, middle and given name."""
    parts = [words[rng.integers(0, len(words), count)].tolist() for words in (FAMILY, MIDDLE, GIVEN)]
    return [" ".join(words) for words in zip(*parts, strict=True)]


def customer_names(rng: np.random.Generator, kinds: Ints) -> npt.NDArray:
    """By customer_type: households are persons, the others firms and public bodies."""
    count = len(kinds)
    persons = person_names(rng, count)
    firm = FIRMS[rng.integers(0, len(FIRMS), count)].tolist()
    trade = TRADES[rng.integers(0, len(TRADES), count)].tolist()
    public = PUBLIC[rng.integers(0, len(PUBLIC), count)].tolist()
    names = []
    for i, kind in enumerate(kinds.tolist()):
        given = persons[i].rsplit(" ", 1)[-1]
        names.append((persons[i], f"{firm[i]} {trade[i]} {given}", f"{public[i]} {given}", persons[i])[kind])
    return np.array(names, dtype=object)


def lanes(rng: np.random.Generator, urban: npt.NDArray[np.bool_]) -> npt.NDArray:
    """The part of an address below the commune."""
    number = rng.integers(1, 15, len(urban)).tolist()
    house = rng.integers(1, 200, len(urban)).tolist()
    word = rng.integers(0, 3, len(urban)).tolist()
    return np.array(
        [
            f"Số {h}, {LANES[3]} {n}" if u else f"{LANES[w]} {n}"
            for u, n, h, w in zip(urban.tolist(), number, house, word, strict=True)
        ],
        dtype=object,
    )
