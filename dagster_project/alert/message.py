"""The words of a message: what has begun, what still is so, what is over. No personal data: counts, names of files and
checks, and where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_project.alert.ledger import Told
from dagster_project.alert.problems import Problem
from dagster_project.settings import LOCAL_ZONE

# A day on which everything is wrong is told in one message that can still be read.
_MOST = 20


@dataclass(frozen=True)
class News:
    """What a message is about. `still` and `over`: with what people were told before."""

    begun: Sequence[Problem]
    still: Sequence[tuple[Problem, Told]]
    over: Sequence[Told]

    def __bool__(self) -> bool:
        return bool(self.begun or self.still or self.over)


def title_of(news: News) -> str:
    """One line, for the subject of a mail."""
    parts = []
    if news.begun:
        parts.append(f"{len(news.begun)} vấn đề mới / new")
    if news.still:
        parts.append(f"{len(news.still)} chưa hết / standing")
    if news.over:
        parts.append(f"{len(news.over)} đã hết / over")
    urgent = any(one.is_urgent for one in (*news.begun, *(problem for problem, _ in news.still)))
    return ("[KHẨN / URGENT] " if urgent else "") + "Kho số liệu / Cashless warehouse: " + ", ".join(parts)


def body_of(news: News) -> str:
    """Plain text."""
    blocks = []
    if news.begun:
        blocks.append(_block("MỚI / NEW", [_told(problem) for problem in _urgent_first(news.begun)]))
    if news.still:
        blocks.append(_block("CHƯA HẾT / STANDING", [_still(problem, told) for problem, told in news.still]))
    if news.over:
        blocks.append(_block("ĐÃ HẾT / OVER", [_over(told) for told in news.over]))
    return "\n\n".join([*blocks, "Tất cả / All of it: cashless status. docs/operator.md#alerts"])


def _urgent_first(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: not problem.is_urgent)


def _block(heading: str, lines: list[str]) -> str:
    more = [f"… và {len(lines) - _MOST} nữa / and more"] if len(lines) > _MOST else []
    return "\n".join([heading, *lines[:_MOST], *more])


def _told(problem: Problem) -> str:
    rows = "" if problem.rows is None else f"\n  Số dòng / Rows: {problem.rows:,}"
    return f"- {problem.what}{rows}\n  Xem / See: {problem.where}\n  Phụ trách / Owner: {problem.owner}"


def _still(problem: Problem, told: Told) -> str:
    return f"{_told(problem)}\n  Từ / Since: {_at(told.began_at)}{_unsaid(told)}"


def _over(told: Told) -> str:
    return f"- {told.what}\n  Từ / Since: {_at(told.began_at)}{_unsaid(told)}"


def _unsaid(told: Told) -> str:
    return f"; gặp thêm {told.unsaid} lần không báo / found {told.unsaid} more times without a message"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
