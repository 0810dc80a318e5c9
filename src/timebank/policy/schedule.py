"""When a rule is evaluated: any day, or from a day of the month or the year on."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from timebank.policy.extension import CALENDARS, holds


class ScheduleKind(StrEnum):
    """How often an office runs a rule."""

    DAILY = "daily"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    CALENDAR = "calendar"
    """On the days of a calendar from outside, and on no other."""
    EVENT = "event"
    """As soon as something is recorded; a daily run finds it on the same day."""


class Event(StrEnum):
    """What a rule may wait for."""

    CERTIFICATE_ADDED = "certificate_added"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule as a rule writes it.

    A run that was missed may be made later in the same month or year: the limits of the rule, not
    the calendar, keep it from giving twice.

    Attributes:
        month: Of `yearly(mm-dd)`.
        day: Of `yearly(mm-dd)` and `monthly(dd)`; from that day on it is due.
        calendar: Of `calendar(name)`: the calendar's name; else empty.
    """

    kind: ScheduleKind = ScheduleKind.DAILY
    month: int = 1
    day: int = 1
    event: Event | None = None
    calendar: str = ""

    def is_due(self, *, on: date) -> bool:
        """Return whether an office may run the rule on a day."""
        match self.kind:
            case ScheduleKind.DAILY | ScheduleKind.EVENT:
                return True
            case ScheduleKind.MONTHLY:
                return on.day >= self.day
            case ScheduleKind.YEARLY:
                return (on.month, on.day) >= (self.month, self.day)
            case ScheduleKind.CALENDAR:
                return holds(self.calendar, on=on)

    def __str__(self) -> str:
        """Return the schedule as it is written in a rule."""
        match self.kind:
            case ScheduleKind.DAILY:
                return self.kind.value
            case ScheduleKind.MONTHLY:
                return f"monthly({self.day:02})"
            case ScheduleKind.YEARLY:
                return f"yearly({self.month:02}-{self.day:02})"
            case ScheduleKind.CALENDAR:
                return f"calendar({self.calendar})"
            case ScheduleKind.EVENT:
                return f"event({'' if self.event is None else self.event.value})"


DAILY = Schedule()
"""Any day: what a rule says that says nothing."""

_MONTHLY = re.compile(r"monthly\(([0-9]{2})\)")
_YEARLY = re.compile(r"yearly\(([0-9]{2})-([0-9]{2})\)")
_CALENDAR = re.compile(r"calendar\(([a-z][a-z0-9_]*)\)")
_EVENT = re.compile(r"event\(([a-z_]+)\)")


def parse_schedule(text: str) -> Schedule | None:
    """Return the schedule that a rule's text names, or None if it names none.

    `daily`, `monthly` (from the first day), `monthly(dd)` up to 28, `yearly(mm-dd)`,
    `event(certificate_added)`, and `calendar(name)` where a plug-in brings such a calendar.
    """
    if text == ScheduleKind.DAILY:
        return DAILY
    if text == ScheduleKind.MONTHLY:
        return Schedule(ScheduleKind.MONTHLY)
    if found := _MONTHLY.fullmatch(text):
        day = int(found[1])
        return Schedule(ScheduleKind.MONTHLY, day=day) if 1 <= day <= 28 else None
    if found := _YEARLY.fullmatch(text):
        try:
            first = date(2001, int(found[1]), int(found[2]))
        except ValueError:
            return None
        return Schedule(ScheduleKind.YEARLY, month=first.month, day=first.day)
    if (found := _CALENDAR.fullmatch(text)) and found[1] in CALENDARS:
        return Schedule(ScheduleKind.CALENDAR, calendar=found[1])
    if (found := _EVENT.fullmatch(text)) and found[1] in list(Event):
        return Schedule(ScheduleKind.EVENT, event=Event(found[1]))
    return None
