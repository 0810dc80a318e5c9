"""Who is reminded of what about a shift that is over: each of it once."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from timebank.domain.activity import Forgotten
from timebank.domain.attendance import LATE_MAX
from timebank.domain.working_day import RECORD_DAYS, IsWorkingDay, clock_of

AFTER_END = timedelta(minutes=5)
"""How long after the end a departure counts as forgotten: the queue at the door is over."""

SOON_DAYS = 3
"""Working days left from which organizers are reminded: enough to ask who was there."""


class ReminderKind(StrEnum):
    """What somebody is reminded of."""

    DEPARTURE = "departure"
    RECORD_SOON = "record_soon"
    RECORD_LATE = "record_late"


_RULES = {
    Forgotten.ZERO: "没签退不记时间",
    Forgotten.END_OF_SHIFT: "没签退按约定记到结束",
    Forgotten.REVIEW: "没签退由组织者核对",
}


def due_reminder(
    ended_at: datetime, *, ended_on: date, today: date, now: datetime, is_working_day: IsWorkingDay
) -> ReminderKind | None:
    """Return what a shift that is over and not closed asks for now, or None.

    Whoever is still there is reminded while a departure can be scanned; organizers when the ten
    working days run out and when they have.
    """
    if ended_at + AFTER_END <= now <= ended_at + LATE_MAX:
        return ReminderKind.DEPARTURE
    clock = clock_of(ended_on, today=today, days=RECORD_DAYS, is_working_day=is_working_day)
    if clock.left is None or clock.left > SOON_DAYS:
        return None
    return ReminderKind.RECORD_LATE if clock.is_over else ReminderKind.RECORD_SOON


def reminder_text(kind: ReminderKind, *, title: str, forgotten: Forgotten) -> str:
    """Return what is sent; it names nobody."""
    match kind:
        case ReminderKind.DEPARTURE:
            return (
                f"【时间银行】“{title}”已经结束，您还没有签退。"
                f"一小时内还可以扫码签退；{_RULES[forgotten]}。"
            )
        case ReminderKind.RECORD_SOON:
            return f"【时间银行】“{title}”还没有核对结束，十个工作日的期限快到了。"
        case ReminderKind.RECORD_LATE:
            return f"【时间银行】“{title}”已超过十个工作日没有核对结束，区县办公室看得到。"
