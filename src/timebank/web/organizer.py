"""The organizer's pages: the day, activities and shifts, the code on the wall, closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from timebank.web.parts import Choice, ChoiceGroup, CodePicture, Evidence, Field, Link


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
    state: Literal["upcoming", "running", "ended", "closed", "cancelled"]
    signed_up: int
    arrived: int
    left: int
    start_percent: int
    width_percent: int
    exceptions: str
    url: str
    code_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingClock:
    """A shift that ended and is not closed, with its ten working days.

    Attributes:
        ended: When it ended, in words.
        due: The last day, in words.
        remaining: Such as `还剩 6 个工作日`.
        used_percent: How much of the time is gone, 0 to 100.
        state: `late` when the last day is over.
    """

    activity: str
    ended: str
    due: str
    remaining: str
    used_percent: int
    state: Literal["calm", "soon", "late"]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """What `organizer/day.html` shows.

    Attributes:
        now_percent: Where the present stands on the timeline; None on another day.
        next_shifts: Later shifts: time and link, for a day without any.
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
    clocks: Sequence[RecordingClock]
    activity_new_url: str
    activities: Sequence[Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityNewPage:
    """What `organizer/activity_new.html` shows, again with what was typed when refused.

    Attributes:
        action_url: Where `title`, `service_field`, `village`, `place`, `description` are posted.
        error: Why the whole was refused; empty for none.
    """

    action_url: str
    cancel_url: str
    title: Field
    service_fields: Sequence[Choice]
    service_field_error: str
    towns: Sequence[ChoiceGroup]
    village_error: str
    place: Field
    description: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftForm:
    """A new shift.

    Attributes:
        action_url: Where `day`, `starts`, `ends`, `places` are posted.
        day: ISO date, as the browser's date field has it.
        starts: `HH:MM`.
        places: A whole number.
    """

    action_url: str
    day: Field
    starts: Field
    ends: Field
    places: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShiftLine:
    """One shift of the organizer's activity."""

    day: str
    time: str
    state: Literal["upcoming", "running", "ended", "closed", "cancelled"]
    signed_up: int
    places: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """What `organizer/activity.html` shows."""

    title: str
    service_field: str
    town: str
    place: str
    description: Sequence[str]
    shifts: Sequence[ActivityShiftLine]
    form: ShiftForm
    day_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPresence:
    """Somebody who came and has no departure: the first thing to settle when closing.

    Attributes:
        signup_id: Posted as part of the field's name, `left_at.<signup_id>`.
        left_at: `HH:MM`; empty leaves the time uncredited.
    """

    signup_id: str
    name: str
    arrived_at: str
    left_at: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """One person of the shift.

    Attributes:
        name: Masked, such as `王*芳`.
        duration: What is credited; empty while nothing is.
        evidence: None while nothing is credited.
    """

    name: str
    number: str
    state: Literal["expected", "here", "left", "absent", "withdrawn"]
    arrived_at: str
    left_at: str
    duration: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPage:
    """What `organizer/shift.html` shows.

    Attributes:
        code_url: The code page; empty when no code can be shown any more.
        warnings: Walk-ups, overlaps and the like, one sentence each.
        close_url: Where the closing is posted; empty when it cannot be closed now.
        due: The last day to close, in words; empty when closed.
        closed: When and by whom it was closed; empty when it is not.
        total: All credited time, in words.
    """

    activity: str
    activity_url: str
    day_url: str
    time: str
    place: str
    state: Literal["upcoming", "running", "ended", "closed", "cancelled"]
    places: int
    signed_up: int
    arrived: int
    left: int
    code_url: str
    open_presences: Sequence[OpenPresence]
    warnings: Sequence[str]
    people: Sequence[Attendee]
    close_url: str
    due: str
    closed: str
    total: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFragment:
    """What `organizer/_code.html` shows: all that changes on the code page.

    Attributes:
        picture: The code of the present window; None when the shift takes no scans.
        refresh_ms: Milliseconds until the next window.
        server_ms: The server's clock, Unix milliseconds, to show the drift of this screen.
        latest: `(masked name, time)`, newest first, five at most.
        closed: Why there is no code; empty when there is one.
    """

    picture: CodePicture | None
    refresh_ms: int
    server_ms: int
    signed_up: int
    arrived: int
    left: int
    latest: Sequence[tuple[str, str]]
    closed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage:
    """What `organizer/code.html` shows on the wall.

    Attributes:
        fragment_url: Answers with `organizer/_code.html` alone, for the same purpose.
        refresh_seconds: How often the page renews itself without scripts.
    """

    activity: str
    time: str
    place: str
    purpose: Literal["arrive", "leave"]
    arrive_url: str
    leave_url: str
    shift_url: str
    fragment_url: str
    refresh_seconds: int
    code: CodeFragment
