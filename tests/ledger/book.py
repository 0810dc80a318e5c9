"""A book to post to: thin words over the journal, and transfers whose every default is valid."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from sqlalchemy import text
from tests.factories import BOOK, NINE, VILLAGE, ZONE

from timebank.db import Database
from timebank.domain.posting import Entry, PostingOutcome
from timebank.domain.transfer import AccountKind, Service, Transfer, TransferKind, Unit
from timebank.ledger import accounts, audit, balances, journal

SERVICE = Service(
    assurance=1, measured=3, activity_book=BOOK, activity=7, shift=9, field=1, place=VILLAGE
)


def key(name: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(name))


def spend(name: object, debit: int, credit: int, amount: int, unit: int = Unit.CREDITS) -> Transfer:
    return Transfer(key(name), TransferKind.ADJUSTMENT, unit, debit, credit, amount, NINE)


@dataclass(frozen=True, slots=True)
class OpenBook:
    """A book with two volunteers' accounts for minutes, and three for credits.

    Attributes:
        purse: Holds credits and cannot spend more than it was given.
        debt: Holds credits and cannot be given more than was taken from it.
    """

    db: Database
    id: int
    issuing: int
    first: int
    second: int
    credits_issuing: int
    purse: int
    debt: int

    def service(
        self, name: object, amount: int = 60, *, at: datetime = NINE, volunteer: int = 1
    ) -> Transfer:
        return Transfer(
            key(name),
            TransferKind.SERVICE,
            Unit.MINUTES,
            self.issuing,
            self.first if volunteer == 1 else self.second,
            amount,
            at,
            volunteer=volunteer,
            service=SERVICE,
        )

    async def post(self, *transfers: Transfer, now: datetime = NINE) -> list[PostingOutcome]:
        return await self.post_list(transfers, now=now)

    async def post_list(
        self,
        transfers: Sequence[Transfer],
        *,
        now: datetime = NINE,
        linked: Sequence[range] = (),
    ) -> list[PostingOutcome]:
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=self.id)
            assert head is not None
            return await journal.append(
                conn, head=head, transfers=transfers, now=now, linked=linked
            )

    async def held(self, account: int, *, as_of: int | None = None) -> int:
        async with self.db.read() as conn:
            found = await balances.balance(conn, book=self.id, account=account, as_of=as_of)
        return found.held

    async def entry(self, seq: int) -> Entry:
        async with self.db.read() as conn:
            found = await balances.find_entry(conn, book=self.id, seq=seq)
        assert found is not None
        return found

    async def broken_rules(self) -> list[str]:
        async with self.db.read() as conn:
            await conn.execute(text("select 1"))
            return [
                rule
                for rule in audit.RULES
                if await audit.find_broken(conn, book=self.id, rule=rule) is not None
            ]


async def open_book(db: Database, *, book: int = BOOK) -> OpenBook:
    async with db.write() as conn:
        now = NINE - timedelta(days=30)
        await accounts.open_book(conn, book=book, zone=ZONE, now=now)
        head = await journal.find_locked_head(conn, book=book)
        assert head is not None
        minutes = await accounts.issuing_account(conn, head=head, unit=Unit.MINUTES, now=now)
        first, second = await accounts.open_accounts(
            conn,
            head=head,
            unit=Unit.MINUTES,
            kind=AccountKind.VOLUNTEER,
            owners=[1, 2],
            now=now,
        )
        credits_issuing = await accounts.issuing_account(
            conn, head=head, unit=Unit.CREDITS, now=now
        )
        (purse,) = await accounts.open_accounts(
            conn,
            head=head,
            unit=Unit.CREDITS,
            kind=AccountKind.VOLUNTEER,
            owners=[1],
            now=now,
            is_debit_bounded=True,
        )
        # No use case opens an account that is bounded from above yet; the journal must hold it.
        await conn.execute(
            text("insert into account values (:book, :id, :unit, :kind, 1, false, true, :now)"),
            {
                "book": book,
                "id": head.accounts + 1,
                "unit": Unit.CREDITS,
                "kind": AccountKind.CLEARING,
                "now": now,
            },
        )
        await conn.execute(
            text("update book set accounts = accounts + 1 where id = :book"), {"book": book}
        )
    return OpenBook(db, book, minutes, first, second, credits_issuing, purse, head.accounts + 1)


async def rows(
    owner: asyncpg.Connection, statement: str, *values: object
) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await owner.fetch(statement, *values)]
