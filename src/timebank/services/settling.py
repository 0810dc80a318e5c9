"""What is owed is settled, oldest first; what a pool had set aside for it goes back or is gone.

Whoever calls holds the book's lock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.entitlement import Standing, StepKind
from timebank.domain.posting import Posted
from timebank.domain.repayment import Debt, open_debts, portions
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.ledger import accounts, balances, entitlements, journal
from timebank.ledger.journal import Head
from timebank.services.pools import PoolAccounts, pool_accounts
from timebank.store import pools as pool_store

_LINES_MAX = 10_000
"""More takings back than anybody has."""


class Source(Enum):
    """Where what settles a debt comes from."""

    HELD = "held"
    """The volunteer's own account: kept of a later grant."""
    CASH = "cash"
    """Money that came back: paid out no longer."""
    FORGIVEN = "forgiven"
    """Nowhere: it stays spent."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody owes of a unit.

    Attributes:
        account: None where they never owed any.
    """

    account: int | None
    debts: list[Debt]

    @property
    def whole(self) -> int:
        """Return all of it."""
        return sum(each.left for each in self.debts)


async def find_owed(conn: AsyncConnection, *, book: int, volunteer: int, unit: int) -> Owed:
    """Return what a volunteer owes of a unit."""
    found = await accounts.find_accounts(
        conn, book=book, unit=unit, kind=AccountKind.RECEIVABLE, owners=[volunteer]
    )
    account = found.get(volunteer)
    if account is None:
        return Owed(None, [])
    lines = await balances.statement(conn, book=book, account=account, lines_max=_LINES_MAX)
    return Owed(
        account, open_debts([(line.entry.seq, line.signed_amount) for line in reversed(lines)])
    )


async def settle(
    conn: AsyncConnection,
    *,
    head: Head,
    volunteer: int,
    unit: int,
    amount: int,
    source: Source,
    named: tuple[object, ...],
    person: UUID | None,
    note: str,
    now: datetime,
) -> tuple[int, set[int]]:
    """Settle so much of what a volunteer owes; return the last entry, and the pools that got back.

    `named` tells one settling from the next.

    Raises:
        ValueError: They owe less.
    """
    owed = await find_owed(conn, book=head.book, volunteer=volunteer, unit=unit)
    if owed.account is None or amount > owed.whole:
        raise ValueError("more is settled than is owed")
    parts = portions(owed.debts, amount)
    standings = await entitlements.find_taken_back(
        # The taking back follows what covers it, in one commit.
        conn,
        book=head.book,
        seqs=[each.seq + 1 for each in parts],
    )
    known = await pool_store.list_by_id(
        conn,
        book=head.book,
        ids={each.of.pool for each in standings.values() if each.of.pool is not None},
    )
    funds = await pool_accounts(conn, head=head, pools=list(known.values()), now=now)
    issuing = await accounts.issuing_account(conn, head=head, unit=unit, now=now)
    held = 0
    if source is Source.HELD:
        held = (
            await accounts.find_accounts(
                conn, book=head.book, unit=unit, kind=AccountKind.VOLUNTEER, owners=[volunteer]
            )
        )[volunteer]

    transfers: list[Transfer] = []
    for place, part in enumerate(parts):
        standing = standings.get(part.seq + 1)
        fund = _fund_of(standing, funds)
        transfers.append(
            Transfer(
                key=service_key(now, "settled", head.book, volunteer, unit, *named, place),
                kind=TransferKind.ADJUSTMENT,
                unit=unit,
                debit=held if source is Source.HELD else _debit(source, fund, issuing),
                credit=owed.account,
                amount=part.left,
                effective_at=now,
                volunteer=volunteer,
            )
        )
        if fund is not None and source is not Source.FORGIVEN:
            transfers.append(
                Transfer(
                    key=service_key(now, "settled back", head.book, volunteer, unit, *named, place),
                    kind=TransferKind.RELEASE,
                    unit=unit,
                    debit=fund.committed,
                    credit=fund.left,
                    amount=part.left,
                    effective_at=now,
                )
            )
    outcomes = await journal.append(
        conn, head=head, transfers=transfers, linked=[range(len(transfers))], now=now
    )
    last = outcomes[-1]
    if not isinstance(last, Posted):
        raise AssertionError(f"a settling of what is owed was refused: {outcomes}")
    for part in parts:
        standing = standings.get(part.seq + 1)
        if standing is not None:
            standing.take(
                StepKind.REPAID,
                at=now,
                person=person,
                seq=last.seq,
                amount=part.left,
                note=note,
            )
    await entitlements.write_steps(
        conn,
        book=head.book,
        standings=list({each.of.id: each for each in standings.values()}.values()),
    )
    back = set() if source is Source.FORGIVEN else set(funds)
    return last.seq, back


def _fund_of(standing: Standing | None, funds: dict[int, PoolAccounts]) -> PoolAccounts | None:
    return None if standing is None or standing.of.pool is None else funds[standing.of.pool]


def _debit(source: Source, fund: PoolAccounts | None, issuing: int) -> int:
    if fund is None:
        return issuing
    return fund.paid if source is Source.CASH else fund.committed
