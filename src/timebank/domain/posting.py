"""What becomes of a list of transfers: each is posted, was posted before, or is refused.

The decision is pure: the journal reads the facts and holds the book's lock, this module decides in
the order of the list, the journal writes what was decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from timebank.domain.transfer import AMOUNT_MAX, Transfer, TransferKind


class PostingRefusal(StrEnum):
    """Why a transfer was not posted, in order of precedence."""

    KEY_REUSED = "posting.key_reused"
    AMOUNT_OUT_OF_RANGE = "posting.amount_out_of_range"
    ACCOUNTS_EQUAL = "posting.accounts_equal"
    ACCOUNT_UNKNOWN = "posting.account_unknown"
    UNIT_MISMATCH = "posting.unit_mismatch"
    REVERSES_NOTHING = "posting.reverses_nothing"
    REVERSAL_MISMATCH = "posting.reversal_mismatch"
    ALREADY_REVERSED = "posting.already_reversed"
    EXCEEDS_BOUND = "posting.exceeds_bound"


@dataclass(frozen=True, slots=True)
class Posted:
    """The transfer is entry `seq` of the book."""

    seq: int


@dataclass(frozen=True, slots=True)
class AlreadyPosted:
    """The same deed was entry `seq` before; nothing was written."""

    seq: int


@dataclass(frozen=True, slots=True)
class PostingRefused:
    """A rule said no; nothing was written for this transfer."""

    reason: PostingRefusal


PostingOutcome = Posted | AlreadyPosted | PostingRefused


@dataclass(slots=True)
class AccountState:
    """An account and its two growing sums.

    Attributes:
        unit: The only unit it may hold.
        debits: Sum of all that was taken from it, in its unit.
        credits: Sum of all that was given to it, in its unit.
        is_debit_bounded: Debits must not exceed credits: it can spend only what it was given.
        is_credit_bounded: Credits must not exceed debits.
    """

    unit: int
    debits: int = 0
    credits: int = 0
    is_debit_bounded: bool = False
    is_credit_bounded: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A transfer that is in the book.

    Attributes:
        is_reversed: Another entry takes it back.
    """

    seq: int
    transfer: Transfer
    is_reversed: bool = False


@dataclass(slots=True)
class Plan:
    """What a batch writes.

    Attributes:
        outcomes: One per transfer of the list, in its order.
        posted: What to write, in order of `seq`, the first at `first_seq`.
        touched: Per account touched, the places of its transfers in `posted`, from 0.
    """

    first_seq: int
    outcomes: list[PostingOutcome] = field(default_factory=list)
    posted: list[Transfer] = field(default_factory=list)
    touched: dict[int, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known of the book to decide on a list.

    Attributes:
        last_seq: The newest entry's number; 0 in an empty book.
        accounts: Every account that the list names and that exists. Changed by the decision: the
            states afterwards are the ones to write.
        known: Entries that already hold a key of the list.
        reversible: Entries that the list reverses, by `seq`.
    """

    last_seq: int
    accounts: Mapping[int, AccountState]
    known: Mapping[UUID, Entry]
    reversible: Mapping[int, Entry]


def decide_postings(transfers: Sequence[Transfer], facts: Facts) -> Plan:
    """Decide a list in its order, each transfer on what those before it left.

    Cost: one pass; about two microseconds a transfer.
    """
    plan = Plan(first_seq=facts.last_seq + 1)
    accounts = facts.accounts
    new: dict[UUID, tuple[int, Transfer]] = {}
    reversed_now: set[int] = set()
    for transfer in transfers:
        before = new.get(transfer.key)
        if before is None and (entry := facts.known.get(transfer.key)) is not None:
            before = (entry.seq, entry.transfer)
        if before is not None:
            plan.outcomes.append(
                AlreadyPosted(before[0])
                if before[1] == transfer
                else PostingRefused(PostingRefusal.KEY_REUSED)
            )
            continue

        reason = _refusal(transfer, facts, reversed_now)
        if reason is not None:
            plan.outcomes.append(PostingRefused(reason))
            continue

        # Nothing below can refuse.
        place = len(plan.posted)
        seq = plan.first_seq + place
        accounts[transfer.debit].debits += transfer.amount
        accounts[transfer.credit].credits += transfer.amount
        plan.touched.setdefault(transfer.debit, []).append(place)
        plan.touched.setdefault(transfer.credit, []).append(place)
        plan.posted.append(transfer)
        plan.outcomes.append(Posted(seq))
        new[transfer.key] = (seq, transfer)
        if transfer.reverses is not None:
            reversed_now.add(transfer.reverses)
    return plan


def _refusal(transfer: Transfer, facts: Facts, reversed_now: set[int]) -> PostingRefusal | None:
    if not 0 < transfer.amount <= AMOUNT_MAX:
        return PostingRefusal.AMOUNT_OUT_OF_RANGE
    if transfer.debit == transfer.credit:
        return PostingRefusal.ACCOUNTS_EQUAL
    debit = facts.accounts.get(transfer.debit)
    credit = facts.accounts.get(transfer.credit)
    if debit is None or credit is None:
        return PostingRefusal.ACCOUNT_UNKNOWN
    if not debit.unit == credit.unit == transfer.unit:
        return PostingRefusal.UNIT_MISMATCH
    if transfer.reverses is not None or transfer.kind == TransferKind.REVERSAL:
        entry = facts.reversible.get(transfer.reverses or 0)
        if entry is None:
            return PostingRefusal.REVERSES_NOTHING
        if not _takes_back(transfer, entry.transfer):
            return PostingRefusal.REVERSAL_MISMATCH
        if entry.is_reversed or entry.seq in reversed_now:
            return PostingRefusal.ALREADY_REVERSED
    if debit.is_debit_bounded and debit.debits + transfer.amount > debit.credits:
        return PostingRefusal.EXCEEDS_BOUND
    if credit.is_credit_bounded and credit.credits + transfer.amount > credit.debits:
        return PostingRefusal.EXCEEDS_BOUND
    return None


def _takes_back(transfer: Transfer, entry: Transfer) -> bool:
    # A reversal is never taken back: what was right after all is posted again, under a new key.
    is_reversal = transfer.kind == TransferKind.REVERSAL and entry.reverses is None
    return is_reversal and transfer == entry._replace(
        key=transfer.key,
        kind=transfer.kind,
        debit=entry.credit,
        credit=entry.debit,
        reverses=transfer.reverses,
    )


def reversal_of(entry: Entry, *, key: UUID) -> Transfer:
    """Return the transfer that takes an entry back, effective when the entry was.

    Raises:
        ValueError: The entry is a reversal itself.
    """
    if entry.transfer.reverses is not None:
        raise ValueError("a reversal is not taken back")
    return entry.transfer._replace(
        key=key,
        kind=TransferKind.REVERSAL,
        debit=entry.transfer.credit,
        credit=entry.transfer.debit,
        reverses=entry.seq,
    )


def recorded_after(previous: datetime | None, now: datetime) -> datetime:
    """Return the instant at which a batch is recorded: never before the batch that precedes it."""
    return now if previous is None or now > previous else previous
