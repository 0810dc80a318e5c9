"""What a volunteer owes comes back, or is given up: by two people's word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

NOTE_LENGTH_MIN = 2
NOTE_LENGTH_MAX = 300
"""Between these a receipt's number or a reason says something."""


class RepaymentKind(StrEnum):
    """How a debt ends, beside what is kept of a later grant."""

    CASH = "cash"
    """Money came back; the note is the receipt's number."""
    FORGIVEN = "forgiven"
    """The office gives it up; the note is why."""


class RepaymentRefusal(StrEnum):
    """Why nothing is noted or settled, in order of precedence."""

    NOTE_LENGTH = "repayment.note_length"
    NOT_MONEY = "repayment.not_money"
    AMOUNT = "repayment.amount"
    OWN = "repayment.own"
    DECIDED = "repayment.decided"
    SECOND_PERSON = "repayment.second_person"


@dataclass(frozen=True, slots=True)
class RepaymentRefused:
    """Nothing is written."""

    reason: RepaymentRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Repayment:
    """What one officer noted, for another one to confirm.

    Attributes:
        amount: In the unit; fen for money.
        is_confirmed: None while nobody else has looked at it.
    """

    book: int
    id: int
    volunteer: int
    unit: int
    kind: RepaymentKind
    amount: int
    note: str
    noted_by: UUID
    noted_at: datetime
    is_confirmed: bool | None = None


def decide_noting(
    kind: RepaymentKind, *, amount: int, note: str, is_money: bool, is_own: bool, owed: int
) -> RepaymentRefusal | None:
    """Return why something cannot be noted, or None. `owed`: less what waits to be confirmed."""
    if not NOTE_LENGTH_MIN <= len(note) <= NOTE_LENGTH_MAX:
        return RepaymentRefusal.NOTE_LENGTH
    if kind is RepaymentKind.CASH and not is_money:
        return RepaymentRefusal.NOT_MONEY
    if not 0 < amount <= owed:
        return RepaymentRefusal.AMOUNT
    if is_own:
        return RepaymentRefusal.OWN
    return None


def decide_confirming(
    repayment: Repayment, *, person: UUID, is_own: bool, owed: int
) -> RepaymentRefusal | None:
    """Return why somebody cannot confirm a repayment, or None."""
    if repayment.amount > owed:
        # A later grant has settled it meanwhile.
        return RepaymentRefusal.AMOUNT
    if is_own:
        return RepaymentRefusal.OWN
    if repayment.is_confirmed is not None:
        return RepaymentRefusal.DECIDED
    if repayment.noted_by == person:
        return RepaymentRefusal.SECOND_PERSON
    return None


@dataclass(frozen=True, slots=True)
class Debt:
    """What is still owed of one taking back.

    Attributes:
        seq: The entry that made it.
    """

    seq: int
    left: int


def open_debts(movements: Sequence[tuple[int, int]]) -> list[Debt]:
    """Return what is still owed, oldest first: what comes back settles what is oldest.

    `movements` are entries of the account of what somebody owes, oldest first: number and amount,
    below zero for what is owed more, above for what came back.
    """
    debts: list[Debt] = []
    for seq, amount in movements:
        if amount < 0:
            debts.append(Debt(seq, -amount))
            continue
        back = amount
        while back and debts:
            oldest = debts[0]
            part = min(back, oldest.left)
            back -= part
            debts[:1] = [Debt(oldest.seq, oldest.left - part)] if part < oldest.left else []
    return debts


def portions(debts: Sequence[Debt], amount: int) -> list[Debt]:
    """Return how much of each debt an amount settles, oldest first."""
    found = []
    for debt in debts:
        part = min(amount, debt.left)
        if part > 0:
            found.append(Debt(debt.seq, part))
            amount -= part
    return found
