"""Units, kinds and the one shape of a ledger entry."""

import hashlib
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

AMOUNT_MAX = 2**53
"""The largest amount of one transfer: every reader, JSON's included, holds it exactly."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unit(IntEnum):
    """The units that every book knows. Stocks of benefits and honours are numbered from 100."""

    MINUTES = 1
    CREDITS = 2
    POINTS = 3
    FEN = 4


UNIT_REGISTERED_MIN = 100
"""The first number of a registered unit: one per stock of benefits and per honour."""


class TransferKind(IntEnum):
    """Why value moved."""

    SERVICE = 1
    REVERSAL = 2
    GRANT = 3
    ADJUSTMENT = 4
    CARRIED = 5
    """Taken along to another county's book."""
    BUDGET = 6
    """Put into a pool."""
    COMMITMENT = 7
    """Set aside in a pool for what was approved."""
    RELEASE = 8
    """Back into the pool: what was set aside is not needed."""
    PAYMENT = 9
    """Money that went to the volunteer's bank."""
    USE = 10
    """Redeemed with a partner."""
    RETURN = 11
    """A use that was taken back."""
    EXPIRY = 12
    CLAW = 13
    """Taken back in part, because the grounds of a grant fell away."""
    GIFT = 14
    """From one volunteer to another, or to a pool."""
    EXCHANGE = 15
    """Given for something: an item of the catalog, or service received."""


class AccountKind(IntEnum):
    """Whose account it is."""

    ISSUING = 1
    """Where served minutes and granted honours come from; one per book and unit."""
    VOLUNTEER = 2
    POOL = 3
    CLEARING = 4
    """What this book owes another one, or is owed: one per other book and unit."""
    RECEIVABLE = 5
    """What a volunteer must give back of a unit: taken back after it was spent."""
    COMMITTED = 6
    """What a pool has set aside for what was approved."""
    PAID = 7
    """What a pool has paid out."""
    PARTNER = 8
    """What a partner has redeemed of a unit."""


class Service(NamedTuple):
    """What a service entry says about the service itself.

    Attributes:
        assurance: Grade 0 to 3 (A0 to A3).
        measured: Bit 1: the arrival, bit 2: the departure was measured by a code.
        activity_book: The book of the county that organized; None where unknown.
        activity: The activity within that book.
        shift: None for imported history.
        field: Number of the service field.
        place: Division code of where it was done.
    """

    assurance: int
    measured: int
    activity_book: int | None
    activity: int | None
    shift: int | None
    field: int
    place: int


class Transfer(NamedTuple):
    """A positive whole amount of one unit, moved from one account to another.

    A named tuple and not a dataclass: an import makes millions of them.

    Attributes:
        key: Names the deed; the same key is the same entry, for ever.
        debit: The account it is taken from.
        credit: The account it is given to.
        effective_at: When it happened, not when it was written.
        volunteer: Whose record it belongs to; None between accounts of the book itself.
        service: None where the entry is no service, nor the reversal of one.
        reverses: `seq` of the entry that this one takes back.
    """

    key: UUID
    kind: int
    unit: int
    debit: int
    credit: int
    amount: int
    effective_at: datetime
    volunteer: int | None = None
    service: Service | None = None
    reverses: int | None = None


def service_key(effective_at: datetime, *parts: object) -> UUID:
    """Return a key that is the same for the same deed and sorts by when it happened.

    Six bytes of milliseconds, then ten of a SHA-256 over the parts: keys in time order keep the
    key's index local, which random keys do not. Version and variant bits follow RFC 9562 (8).
    """
    text = "\x1f".join(map(str, parts))
    milliseconds = (effective_at - _EPOCH) // timedelta(milliseconds=1) & 0xFFFF_FFFF_FFFF
    body = milliseconds << 80 | int.from_bytes(hashlib.sha256(text.encode()).digest()[:10], "big")
    body = body & ~(0xF << 76) | 0x8 << 76
    return UUID(int=body & ~(0x3 << 62) | 0x2 << 62)
