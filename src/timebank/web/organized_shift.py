"""What every page of an organizer says of a shift: where it is shown, its state, its people."""

from datetime import datetime
from typing import Literal, TypeAlias

from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import EARLY_MAX, LATE_MAX, Direction
from timebank.domain.volunteer_number import format_number
from timebank.queries.organizer import OrganizedShift
from timebank.store.seal import Seal
from timebank.web import format as words
from timebank.web.catalog import Translate

ShiftState: TypeAlias = Literal["upcoming", "running", "ended", "closed", "cancelled"]
"""Where a shift stands: before, during, over, settled, or called off."""


_DIGITS_SHOWN = 4
"""Of a volunteer's number, where no name is known: enough to tell the people of one shift apart."""


def state_of(shift: OrganizedShift, *, now: datetime) -> ShiftState:
    """Return where a shift stands."""
    if shift.cancelled_at is not None:
        return "cancelled"
    if shift.closed_at is not None:
        return "closed"
    if now < shift.starts_at:
        return "upcoming"
    return "running" if now < shift.ends_at else "ended"


def takes_scans(shift: OrganizedShift, *, now: datetime) -> bool:
    """Say whether a code of this shift would be taken now."""
    return (
        shift.cancelled_at is None
        and shift.closed_at is None
        and shift.starts_at - EARLY_MAX <= now <= shift.ends_at + LATE_MAX
    )


def masked(name_sealed: bytes | None, seal: Seal, volunteer: VolunteerId, _: Translate) -> str:
    """Return a name as the shift's other people may see it; a number's end where none is known."""
    if name_sealed is not None:
        return words.masked_name(seal.open(name_sealed))
    number = format_number(volunteer.book, volunteer.id)
    return _("志愿者 {digits}", digits=number[-_DIGITS_SHOWN:])


def activity_url(book: int, activity: int) -> str:
    """Return the page of an activity."""
    return f"/organizer/activities/{book}/{activity}"


def shift_url(shift: OrganizedShift) -> str:
    """Return the page of a shift."""
    return f"/organizer/shifts/{shift.shift_book}/{shift.shift}"


def volunteer_key(volunteer: VolunteerId) -> str:
    """Return how a form names a volunteer, such as `330424-17`."""
    return f"{volunteer.book}-{volunteer.id}"


def parse_volunteer(key: str) -> VolunteerId | None:
    """Return the volunteer that a form names, or None."""
    book, _dash, number = key.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in (book, number)):
        return None
    return VolunteerId(int(book), int(number))


def direction_of(shift: OrganizedShift, purpose: str, *, now: datetime) -> Direction:
    """Return which end is taken down: the one chosen, else arrivals until half-time."""
    if purpose in (Direction.ARRIVE.value, Direction.LEAVE.value):
        return Direction(purpose)
    middle = shift.starts_at + (shift.ends_at - shift.starts_at) / 2
    return Direction.ARRIVE if now < middle else Direction.LEAVE
