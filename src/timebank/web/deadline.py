"""The clocks that everybody sees: the last day, and how many working days are left."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from timebank.domain.working_day import RECORD_DAYS, clock_of, days_late
from timebank.store.working_days import is_working_day
from timebank.web import format as words
from timebank.web.catalog import Language, Translate

_SOON = 3
"""Working days left from which a clock warns: enough to ask who was there."""

_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A clock that counts working days.

    Attributes:
        left: Such as `还剩 3 个工作日`.
        due: Such as `12月4日 周五截止`, or why it is not known; empty on the last day itself.
        state: Its colour, never without the words.
        percent: How much of the time is gone, 0 to 100.
    """

    left: str
    due: str
    state: Literal["running", "soon", "late", "unknown"]
    percent: int


def deadline(
    since: date, *, now: datetime, days: int, language: Language, _: Translate
) -> Deadline:
    """Return the clock that began on a day, in words."""
    today = words.local_day(now)
    clock = clock_of(since, today=today, days=days, is_working_day=is_working_day)
    if clock.due_on is None or clock.left is None:
        return Deadline(
            left=_("截止日还不知道"), due=_("放假安排还没公布"), state="unknown", percent=0
        )
    due = _("{day}截止", day=words.day(clock.due_on, today=today, language=language))
    if clock.is_over:
        left = _("已超 {count} 个工作日", count=-clock.left)
        return Deadline(left=left, due=due, state="late", percent=_PERCENT)
    left = _("今天截止") if clock.left == 0 else _("还剩 {count} 个工作日", count=clock.left)
    return Deadline(
        left=left,
        due="" if clock.left == 0 else due,
        state="soon" if clock.left <= _SOON else "running",
        percent=(days - min(clock.left, days)) * _PERCENT // days,
    )


def record_deadline(
    ended_at: datetime, *, now: datetime, language: Language, _: Translate
) -> Deadline:
    """Return the clock of a shift that is over, within which its service is recorded."""
    return deadline(words.local_day(ended_at), now=now, days=RECORD_DAYS, language=language, _=_)


def late_words(ended_at: datetime, recorded_at: datetime, _: Translate) -> str:
    """Return by how much a service was recorded too late; empty where it was not, or not known."""
    late = days_late(
        words.local_day(ended_at),
        words.local_day(recorded_at),
        days=RECORD_DAYS,
        is_working_day=is_working_day,
    )
    return _("迟记 {count} 天", count=late) if late else ""
