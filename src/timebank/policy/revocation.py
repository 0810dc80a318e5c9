"""What takes a grant back, and how much of it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class RevokeOn(StrEnum):
    """What makes an office look at a grant again."""

    REVERSAL = "reversal"
    """A service record that it was decided on was taken back, and the rule is no longer met."""
    FRAUD = "fraud"
    """A reviewer found that it was obtained by deceit."""
    CONDITION = "condition"
    """The rule is no longer met, for whatever reason."""


class Claw(StrEnum):
    """How much is taken back."""

    NONE = "none"
    """Nothing: it ends here, and what was given stays given."""
    UNUSED = "unused"
    """What was not used or paid yet."""
    PRO_RATA = "pro_rata"
    """The share of its term that was still to come."""
    FULL = "full"
    """All of it."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """A rule's word on taking back.

    Attributes:
        grace_days: How long somebody may object before it is done.
    """

    on: frozenset[RevokeOn] = frozenset()
    claw: Claw = Claw.NONE
    grace_days: int = 0


KEPT = Revocation()
"""Nothing takes it back: what a rule says that says nothing."""


@dataclass(frozen=True, slots=True)
class Clawback:
    """What a revocation comes to.

    Attributes:
        taken: What can be taken because it is still there.
        receivable: What was used before and is owed: shown to an official, never a hidden negative.
    """

    taken: int
    receivable: int


def claw_back(
    claw: Claw, *, count: int, used: int, granted_on: date, expires_on: date | None, on: date
) -> Clawback:
    """Return what is taken back of a grant on a day.

    Pro rata counts days from the grant to its last day; the person's share is rounded up, in the
    person's favour. A grant for life has no term to share, so pro rata takes what was not used.

    Raises:
        ValueError: More was used than was given.
    """
    if not 0 <= used <= count:
        raise ValueError("what was used lies between nothing and everything")
    unused = count - used
    match claw:
        case Claw.NONE:
            owed = 0
        case Claw.UNUSED:
            owed = unused
        case Claw.FULL:
            owed = count
        case Claw.PRO_RATA:
            if expires_on is None:
                owed = unused
            else:
                term = (expires_on - granted_on).days + 1
                gone = min(max((on - granted_on).days, 0), term)
                owed = count - -(-count * gone // term)
    return Clawback(taken=min(owed, unused), receivable=max(owed - unused, 0))
