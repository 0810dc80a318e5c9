"""A list that people signed with a pen: how its lines are read, and which of them are credited.

What is entered later is declared: grade A0, neither end measured. It passes the checks of any other
record: a known volunteer, a shift that took place, a stay within it, nobody in two places, nobody
their own hours, and whatever the activity asks for before somebody may serve.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance
from timebank.domain.attendance import ScanFacts
from timebank.domain.clearance import Requirement
from timebank.domain.closing import Departure, DepartureRefusal, decide_departure

LINES_MAX = 300
"""How many lines are entered at once: more than ten sheets of paper."""

_SEPARATORS = re.compile(r"[\s,;、，；]+")
_TIME = re.compile(r"([01]?[0-9]|2[0-3])(?::|时|点)?([0-5][0-9])(?:分)?")
_DASH = str.maketrans(dict.fromkeys("-–—~至到", " "))


class PaperRefusal(StrEnum):
    """Why a line of paper credits nobody, in order of precedence."""

    LINE_UNREADABLE = "paper.line_unreadable"
    VOLUNTEER_UNKNOWN = "paper.volunteer_unknown"
    LINE_REPEATED = "paper.line_repeated"
    SHIFT_CANCELLED = "paper.shift_cancelled"
    SHIFT_CLOSED = "paper.shift_closed"
    OWN_HOURS = "paper.own_hours"
    ALREADY_RECORDED = "paper.already_recorded"
    ARRIVED_BY_CODE = "paper.arrived_by_code"
    IN_FUTURE = "paper.in_future"
    OUTSIDE_SHIFT = "paper.outside_shift"
    ELSEWHERE = "paper.elsewhere"
    MINOR_IN_RESCUE = "paper.minor_in_rescue"
    AGE_UNKNOWN = "paper.age_unknown"
    NO_CONSENT = "paper.no_consent"
    NO_AGREEMENT = "paper.no_agreement"
    NO_INSURANCE = "paper.no_insurance"
    NO_TRAINING = "paper.no_training"
    STAY_TOO_SHORT = "paper.stay_too_short"
    DAY_FULL = "paper.day_full"


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line as somebody typed it from paper.

    Attributes:
        named: A volunteer's number or a phone number, digits only.
        arrived: None where the paper tells no time: from the shift's start.
        left: None where the paper tells no time: to the shift's end.
    """

    named: str
    arrived: time | None
    left: time | None


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line of which it is known whom it names.

    Attributes:
        text: What was typed, to be shown again.
        volunteer: None where the county's books know nobody of that number.
    """

    text: str
    volunteer: VolunteerId | None
    arrived_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaperFacts:
    """What decides a line, beside what decides any scan.

    Attributes:
        is_own: Whoever enters the list is this volunteer.
        is_repeated: An earlier line names the same volunteer.
        is_elsewhere: The volunteer's recorded stay in another shift overlaps this one.
        missing: What must be there before they may serve and is not, the first one first.
    """

    scan: ScanFacts
    is_own: bool
    is_repeated: bool
    is_elsewhere: bool
    missing: tuple[Requirement, ...] = ()


_MISSING = {
    Requirement.ADULT: PaperRefusal.MINOR_IN_RESCUE,
    Requirement.AGE: PaperRefusal.AGE_UNKNOWN,
    Requirement.CONSENT: PaperRefusal.NO_CONSENT,
    Requirement.AGREEMENT: PaperRefusal.NO_AGREEMENT,
    Requirement.INSURANCE: PaperRefusal.NO_INSURANCE,
    Requirement.TRAINING: PaperRefusal.NO_TRAINING,
}


def parse_line(text: str) -> WrittenLine | None:
    """Return what a line says, or None where it cannot be read.

    A number comes first, then the two times or none: `330424000001234 9:00 11:30`, also `900-1130`
    and with the wide digits and marks of Chinese keyboards.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_DASH)
    words = [word for word in _SEPARATORS.split(plain) if word]
    if len(words) not in (1, 3) or not (words[0].isascii() and words[0].isdigit()):
        return None
    times = [parse_time(word) for word in words[1:]]
    if not times:
        return WrittenLine(words[0], None, None)
    if None in times:
        return None
    return WrittenLine(words[0], times[0], times[1])


def parse_time(text: str) -> time | None:
    """Return a time of day as people write it on paper: `9:05`, `0905`, `9点05`."""
    found = _TIME.fullmatch(text)
    return None if found is None else time(int(found[1]), int(found[2]))


def repeated(volunteers: Iterable[VolunteerId | None]) -> list[bool]:
    """Return for each line whether an earlier one names the same volunteer."""
    seen: set[VolunteerId] = set()
    found = []
    for each in volunteers:
        found.append(each is not None and each in seen)
        if each is not None:
            seen.add(each)
    return found


def decide_line(
    line: PaperLine, facts: PaperFacts | None, *, now: datetime
) -> Departure | PaperRefusal:
    """Decide a line; `facts` is None where nobody is named or the shift is not there.

    The minutes are counted as for a scan, rounded down.
    """
    if line.arrived_at is None or line.left_at is None:
        return PaperRefusal.LINE_UNREADABLE
    if facts is None:
        return PaperRefusal.VOLUNTEER_UNKNOWN
    if facts.is_repeated:
        return PaperRefusal.LINE_REPEATED
    if facts.scan.is_cancelled:
        return PaperRefusal.SHIFT_CANCELLED
    if facts.scan.closed_at is not None:
        return PaperRefusal.SHIFT_CLOSED
    if facts.is_own:
        return PaperRefusal.OWN_HOURS
    if facts.scan.left_at is not None:
        return PaperRefusal.ALREADY_RECORDED
    if facts.scan.arrived_at is not None:
        return PaperRefusal.ARRIVED_BY_CODE
    if line.left_at > now:
        return PaperRefusal.IN_FUTURE
    if not facts.scan.starts_at <= line.arrived_at <= line.left_at <= facts.scan.ends_at:
        return PaperRefusal.OUTSIDE_SHIFT
    if facts.is_elsewhere:
        return PaperRefusal.ELSEWHERE
    if facts.missing:
        return _MISSING[facts.missing[0]]
    declared = decide_departure(
        facts.scan._replace(
            arrived_at=line.arrived_at, arrival_measured=False, arrival_grade=Assurance.A0
        ),
        is_own=False,
        at=line.left_at,
    )
    refused = {
        DepartureRefusal.ELSEWHERE: PaperRefusal.ELSEWHERE,
        DepartureRefusal.STAY_TOO_SHORT: PaperRefusal.STAY_TOO_SHORT,
        DepartureRefusal.DAY_FULL: PaperRefusal.DAY_FULL,
    }
    if isinstance(declared, DepartureRefusal) and declared in refused:
        return refused[declared]
    if not isinstance(declared, Departure):
        raise AssertionError(f"a checked line was refused: {declared}")
    return declared
