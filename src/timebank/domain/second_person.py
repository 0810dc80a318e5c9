"""Two people above a limit: hours that only somebody's word stands for wait for a second person.

Whoever enters departures at closing, a paper list or another batch does it alone up to a county's
limit of minutes and people. Above it the entry is held, whole, until another organizer of the
organization or an officer above it has looked and agreed. Nobody agrees to their own entry, and
nobody to one that holds their own hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from timebank.domain.actor import Actor, OrganizationId, VolunteerId
from timebank.domain.threshold import Threshold

REASON_LENGTH_MAX = 300
"""The longest reason for sending an entry back: what is wrong, in some sentences."""


class HeldKind(StrEnum):
    """What can wait for a second person."""

    CLOSING = "closing"
    PAPER = "paper"


class ApprovalRefusal(StrEnum):
    """Why a held entry stays as it is, in order of precedence."""

    ALREADY_DECIDED = "approval.already_decided"
    OWN_ENTRY = "approval.own_entry"
    OWN_HOURS = "approval.own_hours"
    GREW = "approval.grew"
    REASON_LENGTH = "approval.reason_length"


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """Somebody who would be credited.

    Attributes:
        since: From when on the minutes count.
        until: When they left.
    """

    volunteer: VolunteerId
    since: datetime
    until: datetime
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hours that are about to be credited by somebody's word.

    Attributes:
        book: Of the county that organizes.
        subject: What it is about, such as `shift/17`; of one kind and subject one entry waits.
        shift: Of the county that organizes; None where it is about no single shift.
        people: Everybody who would be credited.
        note: What else must be known to do it later, such as the number of a paper list.
    """

    kind: HeldKind
    book: int
    subject: str
    organization: OrganizationId
    shift: int | None
    people: tuple[HeldPerson, ...]
    note: str = ""

    @property
    def minutes(self) -> int:
        """All that would be credited."""
        return sum(each.minutes for each in self.people)

    @property
    def volunteers(self) -> frozenset[VolunteerId]:
        """Who would be credited, each once."""
        return frozenset(each.volunteer for each in self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEntry(Entry):
    """An entry that waits, or waited, for a second person.

    Attributes:
        number: Its number in the county's book.
        is_approved: None while it waits; False also where a newer one took its place.
        reason: Why it was sent back; None otherwise.
    """

    number: int
    submitted_by: UUID
    submitted_at: datetime
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    is_approved: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """Go on: the entry is within the limit, or a second person agreed just now."""


@dataclass(frozen=True, slots=True)
class Held:
    """Credit nothing: the entry waits, under this number of the county's book."""

    book: int
    number: int


@dataclass(frozen=True, slots=True)
class SentBack:
    """The second person did not agree; nothing is credited."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalRefused:
    """Nothing is written."""

    reason: ApprovalRefusal


def needs_second_person(*, minutes: int, people: int, thresholds: Mapping[Threshold, int]) -> bool:
    """Return whether one person's word is too little. Units: whole minutes, all people together."""
    return (
        minutes > thresholds[Threshold.SECOND_PERSON_MINUTES]
        or people > thresholds[Threshold.SECOND_PERSON_PEOPLE]
    )


def decide_approval(
    held: HeldEntry, entry: Entry | None, *, actor: Actor, holds_own_hours: bool
) -> ApprovalRefusal | None:
    """Return why an actor cannot decide a held entry, or None.

    `entry` is what would be credited now, or None where the entry is sent back: it may have become
    less since it was held, by those who scanned out meanwhile, and never more.
    """
    if held.decided_at is not None:
        return ApprovalRefusal.ALREADY_DECIDED
    if held.submitted_by == actor.person:
        return ApprovalRefusal.OWN_ENTRY
    if holds_own_hours:
        return ApprovalRefusal.OWN_HOURS
    if entry is not None and (
        entry.minutes > held.minutes or len(entry.volunteers) > len(held.volunteers)
    ):
        return ApprovalRefusal.GREW
    return None
