"""Handing service records on to another platform, such as the national one, and comparing notes.

What was handed on stands in the book, from entry to entry, so nothing is handed on twice and
nothing is left out. What the other side holds is compared record by record with what was sent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

EXAMPLES_MAX = 200
"""How many differences a comparison keeps by name; it counts all of them."""


class ExchangeRecord(NamedTuple):
    """One service as it is handed on.

    Attributes:
        key: Names the service for ever; a record with a key that was sent before replaces it.
        volunteer: 15-digit number.
        minutes: Served minutes; 0 where the service was taken back.
        ended_at: When the service ended.
        field: Number of the service field.
        place: 12-digit division code of where it was done.
        assurance: Grade 0 to 3 of the evidence.
    """

    key: UUID
    volunteer: str
    minutes: int
    ended_at: datetime
    field: int
    place: int
    assurance: int


class Held(NamedTuple):
    """One service as the other platform holds it."""

    key: UUID
    minutes: int


class Platform(Protocol):
    """Another platform. One adapter each; `services/exchange_files.py` is the reference.

    A method that fails raises; whatever it took may be sent to it again.
    """

    def send(self, records: Sequence[ExchangeRecord], *, batch: str) -> None:
        """Hand records on; the same batch with the same name again is the same batch."""

    def held(self) -> Iterator[Held]:
        """Return every record that the platform holds of this book, in any order."""


class DifferenceKind(StrEnum):
    """How two sides differ about one service."""

    MISSING = "exchange.missing"
    """It was sent and is not held."""
    UNKNOWN = "exchange.unknown"
    """It is held and was not sent."""
    DIFFERENT = "exchange.different"
    """It is held with other minutes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One service about which two sides differ.

    Units: minutes; None on the side that does not have it.
    """

    kind: DifferenceKind
    key: UUID
    sent: int | None
    held: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What two sides come to.

    Attributes:
        sent: Services sent that stand.
        held: Services held with any minutes.
        equal: Those of them that are the same on both sides.
        counts: Every difference, by kind.
        examples: The first of them, at most `EXAMPLES_MAX`, in the order of their keys.
    """

    sent: int
    held: int
    equal: int
    counts: Mapping[DifferenceKind, int]
    examples: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether both sides hold the same."""
        return not any(self.counts.values())


def reconcile(sent: Mapping[UUID, int], held: Iterable[Held]) -> Reconciliation:
    """Compare what was sent with what is held; a service of no minutes is as one not there.

    Where a key is held more than once, its last record counts.
    """
    theirs = {each.key: each.minutes for each in held}
    found: list[Difference] = []
    counts = dict.fromkeys(DifferenceKind, 0)
    equal = 0
    for key in sorted(sent.keys() | theirs.keys()):
        ours, other = sent.get(key) or None, theirs.get(key) or None
        if ours == other:
            equal += ours is not None
            continue
        if other is None:
            kind = DifferenceKind.MISSING
        elif ours is None:
            kind = DifferenceKind.UNKNOWN
        else:
            kind = DifferenceKind.DIFFERENT
        counts[kind] += 1
        if len(found) < EXAMPLES_MAX:
            found.append(Difference(kind, key, ours, other))
    return Reconciliation(
        sent=sum(1 for each in sent.values() if each),
        held=sum(1 for each in theirs.values() if each),
        equal=equal,
        counts=counts,
        examples=tuple(found),
    )
