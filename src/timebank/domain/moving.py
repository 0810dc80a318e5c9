"""What a volunteer takes along to another county's book, and when they can move there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from timebank.domain import region
from timebank.domain.actor import VolunteerId
from timebank.domain.transfer import Transfer, TransferKind


class MovingRefusal(StrEnum):
    """Why a volunteer stayed in their county, in order of precedence."""

    VILLAGE_UNKNOWN = "moving.village_unknown"
    SAME_COUNTY = "moving.same_county"
    COUNTY_NOT_OPEN = "moving.county_not_open"


@dataclass(frozen=True, slots=True)
class MovedToCounty:
    """The person is this volunteer now, in the book of the other county."""

    volunteer: VolunteerId


@dataclass(frozen=True, slots=True)
class MovingRefused:
    """Nothing is written."""

    reason: MovingRefusal


class ServedMonth(NamedTuple):
    """Minutes of one month and evidence, by the book in which they were served.

    Attributes:
        month: The year times 100 plus the month.
    """

    served_book: int
    month: int
    assurance: int
    measured: int
    minutes: int
    services: int


@dataclass(frozen=True, slots=True)
class Load:
    """What is carried from, or to, one account.

    Attributes:
        amount: Above zero what the account held, below what it lacked.
        months: Of minutes only: what the amount is the sum of.
    """

    account: int
    unit: int
    amount: int
    months: tuple[ServedMonth, ...] = ()


def goes_along(unit: str) -> bool:
    """Return whether what somebody holds of a unit, by its code, goes along to another county.

    The record of service, time credits and honours are the person's, wherever they live. Points,
    benefits and money are what one county has promised out of its own budget: they stay with it,
    can be used there, and end there.
    """
    return unit in ("minutes", "credits") or unit.startswith("honour:")


def decide_moving(
    *, book: int, village: int, village_level: region.Level | None, is_open: bool
) -> MovingRefusal | None:
    """Return why a volunteer of a book cannot move to a village of another county, or None."""
    if village_level is not region.Level.VILLAGE:
        return MovingRefusal.VILLAGE_UNKNOWN
    if region.county_of(village) == book:
        return MovingRefusal.SAME_COUNTY
    if not is_open:
        return MovingRefusal.COUNTY_NOT_OPEN
    return None


def loads_of_minutes(account: int, unit: int, months: Iterable[ServedMonth]) -> list[Load]:
    """Return what carries some months: one load of those above zero, one of those below.

    Two, because months that cancel out would leave nothing to carry them.
    """
    loads = []
    for sign in (1, -1):
        chosen = tuple(each for each in months if each.minutes * sign > 0)
        if chosen:
            loads.append(Load(account, unit, sum(each.minutes for each in chosen), chosen))
    return loads


def carried_away(load: Load, *, clearing: int, key: UUID, at: datetime, volunteer: int) -> Transfer:
    """Return the transfer that empties an account into the clearing account."""
    debit, credit = (load.account, clearing) if load.amount > 0 else (clearing, load.account)
    return Transfer(
        key=key,
        kind=TransferKind.CARRIED,
        unit=load.unit,
        debit=debit,
        credit=credit,
        amount=abs(load.amount),
        effective_at=at,
        volunteer=volunteer,
    )


def carried_in(
    away: Transfer, *, is_given: bool, account: int, clearing: int, volunteer: int
) -> Transfer:
    """Return the other half of `away`, under the same key, in the book that is moved to.

    `is_given` says that the old account was emptied, so that the new one is given.
    """
    debit, credit = (clearing, account) if is_given else (account, clearing)
    return away._replace(debit=debit, credit=credit, volunteer=volunteer)


def reversed_months(months: Sequence[ServedMonth]) -> tuple[ServedMonth, ...]:
    """Return the months taken off again."""
    return tuple(each._replace(minutes=-each.minutes, services=-each.services) for each in months)
