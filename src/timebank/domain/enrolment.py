"""Who can be registered as a volunteer, and when a volunteer's home can change."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from timebank.domain import region
from timebank.domain.actor import VolunteerId

NAME_LENGTH_MAX = 50
"""The longest name: those with a middle dot and several parts fit."""


class EnrolmentRefusal(StrEnum):
    """Why nobody was enrolled, in order of precedence."""

    NAME_LENGTH = "enrolment.name_length"
    VILLAGE_UNKNOWN = "enrolment.village_unknown"
    COUNTY_NOT_OPEN = "enrolment.county_not_open"
    ALREADY_ENROLLED = "enrolment.already_enrolled"


class MoveRefusal(StrEnum):
    """Why a home stayed where it was, in order of precedence."""

    VILLAGE_UNKNOWN = "move.village_unknown"
    OTHER_COUNTY = "move.other_county"
    TOO_EARLY = "move.too_early"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The person is a volunteer of the county."""

    volunteer: VolunteerId


@dataclass(frozen=True, slots=True)
class EnrolmentRefused:
    """Nothing is written."""

    reason: EnrolmentRefusal


@dataclass(frozen=True, slots=True)
class Moved:
    """The volunteer lives there from that day on."""

    village: int
    from_on: date


@dataclass(frozen=True, slots=True)
class MoveRefused:
    """Nothing is written."""

    reason: MoveRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVolunteer:
    """A volunteer as another system knows them.

    Attributes:
        reference: Their number there; the same one is the same volunteer, for ever.
        phone: A mainland mobile number; None where unknown.
        village: The village's code, or that of the lowest division known.
    """

    reference: str
    name: str | None
    phone: str | None
    village: int
    enrolled_at: datetime


def decide_enrolment(
    *, name: str, village_level: region.Level | None, is_open: bool, is_enrolled: bool
) -> EnrolmentRefusal | None:
    """Return why somebody cannot be enrolled, or None.

    The name has been cleaned; a village that is not known has no level.
    """
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        return EnrolmentRefusal.NAME_LENGTH
    if village_level is not region.Level.VILLAGE:
        return EnrolmentRefusal.VILLAGE_UNKNOWN
    if not is_open:
        return EnrolmentRefusal.COUNTY_NOT_OPEN
    if is_enrolled:
        return EnrolmentRefusal.ALREADY_ENROLLED
    return None


def decide_move(
    *,
    book: int,
    village: int,
    village_level: region.Level | None,
    newest_from_on: date,
    from_on: date,
) -> Moved | MoveRefused:
    """Decide a move within a county.

    A move before the newest one would change what was reported of past days.
    """
    if village_level is not region.Level.VILLAGE:
        return MoveRefused(MoveRefusal.VILLAGE_UNKNOWN)
    if region.county_of(village) != book:
        return MoveRefused(MoveRefusal.OTHER_COUNTY)
    if from_on < newest_from_on:
        return MoveRefused(MoveRefusal.TOO_EARLY)
    return Moved(village, from_on)
