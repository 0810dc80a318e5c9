"""What is known of one reading beside its time: how it was made, on whose phone, and where.

Evidence grades a record and raises flags for a reviewer; it never sends anybody away.
"""

from enum import StrEnum
from typing import NamedTuple

from timebank.domain.assurance import Assurance


class Means(StrEnum):
    """How an end of a stay was taken down."""

    WALL = "wall"
    """The rotating code on the organizer's screen, read by the signed-in volunteer."""
    TYPED = "typed"
    """The short code beside it, typed where no camera works."""
    KIOSK = "kiosk"
    """The volunteer's rotating personal code, shown to a tablet at the door."""
    CARD = "card"
    """A printed card, shown to a tablet that nobody watches: whoever holds it may have."""
    ORGANIZER = "organizer"
    """The organizer read the volunteer's code or card, or named them."""


class DeviceStanding(StrEnum):
    """Whose device signed the reading."""

    NONE = "none"
    """No device did, or one that is bound to nobody."""
    OWN = "own"
    """The one that is bound to the volunteer."""
    OTHERS = "others"
    """One that is bound to somebody else."""
    UNPROVED = "unproved"
    """One was named, but its signature does not fit."""


class Whereabouts(StrEnum):
    """What the volunteer's phone answered when asked whether it is at the meeting point.

    The phone compares; the answer is all that leaves it. Source: PIPL, articles 6 and 28.
    """

    UNKNOWN = ""
    WITHIN = "within"
    OUTSIDE = "outside"


class ScanFlag(StrEnum):
    """What a reviewer should look at; a flag refuses nothing."""

    SHARED_DEVICE = "flag.shared_device"
    UNPROVED_DEVICE = "flag.unproved_device"
    ELSEWHERE = "flag.elsewhere"


class ScanEvidence(NamedTuple):
    """How one reading was made.

    Attributes:
        is_late: It was made without network and reached the server afterwards.
        is_measured: A code tells the time of it; else the organizer's word does.
    """

    means: Means = Means.WALL
    device: DeviceStanding = DeviceStanding.NONE
    place: Whereabouts = Whereabouts.UNKNOWN
    is_late: bool = False
    is_measured: bool = True


WALL_READING = ScanEvidence()
"""A signed-in volunteer read the wall, and nothing else is known."""


_UNREMARKABLE = (DeviceStanding.NONE, DeviceStanding.OWN)


def grade_end(evidence: ScanEvidence) -> Assurance:
    """Return the grade of one end of a stay.

    The organizer's own eyes decide alone. A device of somebody else proves nothing: two people on
    one phone may be a family, and may be one person with two accounts.
    """
    if evidence.means is Means.ORGANIZER:
        return Assurance.A3
    if evidence.means is Means.CARD or evidence.device is DeviceStanding.OTHERS:
        return Assurance.A0
    is_own = evidence.device is DeviceStanding.OWN
    is_bound = is_own and evidence.place is not Whereabouts.OUTSIDE
    if is_bound and evidence.means is not Means.TYPED and not evidence.is_late:
        return Assurance.A2
    return Assurance.A1


def flags_of(evidence: ScanEvidence) -> tuple[ScanFlag, ...]:
    """Return what a reviewer should look at, in the order of the enum."""
    if evidence.means is Means.ORGANIZER or (
        evidence.device in _UNREMARKABLE and evidence.place is not Whereabouts.OUTSIDE
    ):
        return ()
    return tuple(
        flag
        for flag, is_raised in (
            (ScanFlag.SHARED_DEVICE, evidence.device is DeviceStanding.OTHERS),
            (ScanFlag.UNPROVED_DEVICE, evidence.device is DeviceStanding.UNPROVED),
            (ScanFlag.ELSEWHERE, evidence.place is Whereabouts.OUTSIDE),
        )
        if is_raised
    )
