"""Budgets, stocks and places: what is taken from where, and what happens when it runs out.

A pool's account never goes below zero: what is committed, paid and still there is, at every entry,
what the period opened with.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from timebank.domain import region
from timebank.policy.bilingual import Bilingual
from timebank.policy.grant import Every, Expiry
from timebank.policy.parameter import Citation, Parameter
from timebank.policy.selection import Criterion


class Holds(StrEnum):
    """What a pool is counted in."""

    FEN = "fen"
    PIECES = "pieces"
    PLACES = "places"


class Exhausted(StrEnum):
    """What happens to those for whom a pool does not reach."""

    REFUSE = "refuse"
    """Nothing: the period is over for them."""
    QUEUE = "queue"
    """They wait, and come first in the next period or when something is released."""
    PRO_RATA = "pro_rata"
    """Everybody gets the same share of what was asked; money only."""
    RANK = "rank"
    """Those come first whom the pool's own criteria put first; the rest get nothing."""


class Carry(StrEnum):
    """What becomes of what is left when a period ends."""

    NONE = "none"
    """It lapses."""
    ALL = "all"
    """It is added to the next period."""
    UP_TO = "up_to"
    """It is added to the next period, up to a dated amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A budget, a stock, or a number of places.

    Attributes:
        owner: Who answers for it, such as a village's charity fund.
        amount: A dated amount for each period.
        every: The period it is for; `lifetime` for one that is filled once.
        carry_most: Of `up_to`: a dated amount; else None.
        purposes: What it may be used for; empty for anything.
        regions: Divisions whose people it is for; empty for everybody.
        rank: Of `rank`: who comes first; else empty.
        lapse: How long an offer out of it stands before it lapses and the next in line is asked;
            None for as long as the grant itself lasts.
    """

    id: str
    title: Bilingual
    owner: Bilingual
    cite: Citation
    holds: Holds
    amount: Parameter
    every: Every
    carry: Carry = Carry.NONE
    carry_most: Parameter | None = None
    purposes: frozenset[str] = frozenset()
    regions: tuple[int, ...] = ()
    exhausted: Exhausted = Exhausted.REFUSE
    rank: tuple[Criterion, ...] = ()
    lapse: Expiry | None = None

    def serves(self, home: int | None) -> bool:
        """Return whether somebody who lives in a division may be given something of it.

        Nobody whose home is unknown may, where the pool is for some divisions only.
        """
        if not self.regions:
            return True
        return home is not None and any(home in region.subtree(each) for each in self.regions)

    def opening(self, *, on: date, left: int = 0) -> int:
        """Return what the period of a day opens with, when so much was left of the one before."""
        amount = number_on(self.amount, on=on)
        match self.carry:
            case Carry.NONE:
                return amount
            case Carry.ALL:
                return amount + left
            case Carry.UP_TO:
                most = 0 if self.carry_most is None else number_on(self.carry_most, on=on)
                return amount + min(left, most)


def number_on(parameter: Parameter, *, on: date) -> int:
    """Return the whole number that a parameter is on a day.

    Raises:
        ValueError: It is something else; reading a pack proves that this cannot happen.
    """
    value = parameter.on(on).value
    if not isinstance(value, int):
        raise ValueError(f"{parameter.name}: a whole number")
    return value


class PoolEntryKind(StrEnum):
    """What an entry does to a pool's account."""

    COMMITTED = "committed"
    """At approval: set aside for one grant."""
    PAID = "paid"
    """At payment or use: gone for good."""
    RELEASED = "released"
    """At lapse or revocation before payment: there again."""


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """One movement.

    Attributes:
        grant: What it is for: an opaque name, the same for all movements of one grant.
    """

    kind: PoolEntryKind
    grant: str
    amount: int


class OverdrawnError(Exception):
    """An entry would take more than is there."""


@dataclass(frozen=True, slots=True)
class PoolAccount:
    """A pool in one period.

    Attributes:
        opened: What the period began with.
        committed: Set aside and not yet paid.
        paid: Gone.
    """

    opened: int
    committed: int = 0
    paid: int = 0

    @property
    def available(self) -> int:
        """Return what may still be committed."""
        return self.opened - self.committed - self.paid

    def after(self, entry: PoolEntry) -> "PoolAccount":
        """Return the account after an entry.

        Raises:
            OverdrawnError: More would be committed than is there, or more paid or released than
                is committed.
        """
        if entry.amount <= 0:
            raise ValueError("an entry moves a positive amount")
        match entry.kind:
            case PoolEntryKind.COMMITTED:
                if entry.amount > self.available:
                    raise OverdrawnError
                return replace(self, committed=self.committed + entry.amount)
            case PoolEntryKind.PAID:
                if entry.amount > self.committed:
                    raise OverdrawnError
                return replace(
                    self, committed=self.committed - entry.amount, paid=self.paid + entry.amount
                )
            case PoolEntryKind.RELEASED:
                if entry.amount > self.committed:
                    raise OverdrawnError
                return replace(self, committed=self.committed - entry.amount)


def account_of(opened: int, entries: Iterable[PoolEntry]) -> PoolAccount:
    """Return the account that entries make of an opening, in their order.

    Raises:
        OverdrawnError: One of them would take more than is there.
    """
    account = PoolAccount(opened)
    for entry in entries:
        account = account.after(entry)
    return account
