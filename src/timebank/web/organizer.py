"""The organizer's first page: a day's shifts on a line, and what waits to be closed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain.actor import Act
from timebank.domain.period import Period
from timebank.http.providers import (
    Db,
    Now,
    OwnOrganizations,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.organizer import OrganizedShift
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.deadline import Deadline, record_deadline
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import (
    ShiftState,
    activity_url,
    shift_url,
    state_of,
    takes_scans,
)
from timebank.web.parts import Link
from timebank.web.typed import typed_day

_HOUR = timedelta(hours=1)
_FIRST_HOUR = timedelta(hours=6)
_LAST_HOUR = timedelta(hours=22)
"""The line shows the hours from 6 to 22, more only where a shift asks for it."""

_TICK_HOURS = 3
"""Every third hour is labelled: more do not fit a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineTick:
    """One hour of the timeline.

    Attributes:
        percent: Where it stands, 0 to 100 from the left.
    """

    label: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShift:
    """One shift on the day's timeline.

    Attributes:
        start_percent: Where its bar begins, 0 to 100.
        width_percent: How long its bar is, at least 1.
        left: People who have scanned out.
        exceptions: What needs attention, one sentence; empty for nothing.
        code_url: The code page; empty when no code can be shown any more.
    """

    activity: str
    time: str
    place: str
    state: ShiftState
    signed_up: int
    arrived: int
    left: int
    start_percent: int
    width_percent: int
    exceptions: str
    url: str
    code_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingShift:
    """A shift that is over and waits to be closed, with its clock."""

    activity: str
    time: str
    url: str
    exceptions: str
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """What `organizer/day.html` shows.

    Attributes:
        now_percent: Where the present stands on the timeline; None on another day.
        next_shifts: Later shifts: time and link, for a day without any.
        waiting: Shifts that are over and not closed, longest first.
    """

    organization: str
    day: str
    previous_url: str
    next_url: str
    today_url: str
    ticks: Sequence[TimelineTick]
    now_percent: int | None
    shifts: Sequence[DayShift]
    next_shifts: Sequence[tuple[str, Link]]
    waiting: Sequence[WaitingShift]
    activity_new_url: str
    activities: Sequence[Link]


@get("/organizer", rule=Act.RUN_ACTIVITIES)
async def show_day(
    request: TimebankRequest,
    organizations: OwnOrganizations,
    db: Db,
    now: Now,
    day: Annotated[str, QueryParameter(max_length=10)] = "",
) -> Response[Any]:
    """Show a day's shifts as a timeline, and what waits to be closed."""
    language = language_of(request)
    _ = translate_of(request)
    today = words.local_day(now)
    on = typed_day(day) or today
    span = Period.of_days(on, on + timedelta(days=1), zone=words.ZONE)
    async with db.read() as conn:
        shifts = await organizer.list_day_shifts(conn, organizations=organizations, period=span)
        unclosed = await organizer.list_unclosed_shifts(conn, organizations=organizations, now=now)
        following = await organizer.list_next_shifts(
            conn, organizations=organizations, after=max(now, span.end)
        )
        published = await organizer.list_activities(conn, organizations=organizations, now=now)
    ends = [at for each in shifts for at in (each.starts_at, each.ends_at)]
    drawn = _drawn(span, [*ends, now] if on == today else ends)
    return show(
        request,
        "organizer/day.html",
        DayPage(
            organization="、".join(dict.fromkeys(each.organization for each in published)),
            day=words.day(on, today=today, language=language),
            previous_url=f"/organizer?day={on - timedelta(days=1)}",
            next_url=f"/organizer?day={on + timedelta(days=1)}",
            today_url="" if on == today else "/organizer",
            ticks=_ticks(drawn),
            now_percent=_percent(now, drawn) if on == today else None,
            shifts=[_day_shift(each, drawn=drawn, now=now, _=_) for each in shifts],
            next_shifts=[
                (
                    words.span(each.starts_at, each.ends_at, now=now, language=language),
                    Link(label=each.title, url=shift_url(each)),
                )
                for each in following
            ],
            waiting=[
                WaitingShift(
                    activity=each.title,
                    time=words.span(each.starts_at, each.ends_at, now=now, language=language),
                    url=shift_url(each),
                    exceptions=_("{count} 人没有签退", count=each.present) if each.present else "",
                    deadline=record_deadline(each.ends_at, now=now, language=language, _=_),
                )
                for each in unclosed
            ],
            activity_new_url="/organizer/activities/new",
            activities=[
                Link(label=each.title, url=activity_url(each.book, each.activity))
                for each in published
            ],
        ),
    )


def _drawn(day: Period, instants: Iterable[datetime]) -> Period:
    """Return the hours of a day that the line shows: those of the day's life, more where needed."""
    first = day.start + _FIRST_HOUR
    last = day.start + _LAST_HOUR
    for at in instants:
        hours = (min(max(at, day.start), day.end) - day.start) // _HOUR
        first = min(first, day.start + hours * _HOUR)
        last = max(last, min(day.end, day.start + (hours + 1) * _HOUR))
    return Period(first, last)


def _ticks(drawn: Period) -> list[TimelineTick]:
    hours = [drawn.start + each * _HOUR for each in range((drawn.end - drawn.start) // _HOUR + 1)]
    return [
        TimelineTick(label=words.clock(at), percent=_percent(at, drawn))
        for at in hours
        if at.astimezone(words.ZONE).hour % _TICK_HOURS == 0
    ]


def _day_shift(shift: OrganizedShift, *, drawn: Period, now: datetime, _: Translate) -> DayShift:
    start = _percent(max(shift.starts_at, drawn.start), drawn)
    end = _percent(min(shift.ends_at, drawn.end), drawn)
    here = shift.arrived - shift.left
    state = state_of(shift, now=now)
    return DayShift(
        activity=shift.title,
        time=words.times(shift.starts_at, shift.ends_at),
        place=shift.address,
        state=state,
        signed_up=shift.signed_up,
        arrived=shift.arrived,
        left=shift.left,
        start_percent=start,
        width_percent=max(1, end - start),
        exceptions=_("{count} 人没有签退", count=here) if state == "ended" and here else "",
        url=shift_url(shift),
        code_url=f"{shift_url(shift)}/code" if takes_scans(shift, now=now) else "",
    )


def _percent(at: datetime, drawn: Period) -> int:
    return int((at - drawn.start) / (drawn.end - drawn.start) * 100)
