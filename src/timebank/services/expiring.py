"""What was not used by its last day expires: back to where it came from."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.entitlement import Standing, State, StepKind
from timebank.domain.period import local_day
from timebank.domain.posting import Posted
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, Unit, service_key
from timebank.ledger import accounts, entitlements, journal
from timebank.ledger.journal import Head
from timebank.services.agreeing import serve_waiting
from timebank.services.errors import NotFoundError
from timebank.services.pools import pool_accounts
from timebank.store import audit_events
from timebank.store import pools as pool_store

_LIST_MAX = 1_000
"""How many grants one commit ends."""


async def expire_grants(db: Database, *, scope: Scope, now: datetime) -> int:
    """End every grant whose last day is over, and return how many there were.

    What a pool paid for goes back into it, and whoever waits for the pool is served. Running twice
    expires nothing twice. Money does not expire: it is owed until it is paid.

    Raises:
        NotFoundError: The scope's county has no book.
    """
    book = county_of(scope.region)
    ended = 0
    while True:
        async with db.write() as conn:
            head = await journal.find_locked_head(conn, book=book)
            if head is None:
                raise NotFoundError
            today = local_day(now, zone=ZoneInfo(head.zone))
            over = [
                each
                for each in await entitlements.list_in_state(
                    conn,
                    book=book,
                    states=[State.ISSUED],
                    limit=_LIST_MAX,
                    expired_before=today,
                )
                if each.of.unit != Unit.FEN
            ]
            if not over:
                return ended
            for unit in sorted({each.of.unit for each in over}):
                own = [each for each in over if each.of.unit == unit]
                await _expire(conn, head, unit, own, now=now)
            for pool in sorted({each.of.pool for each in over if each.of.pool is not None}):
                await serve_waiting(conn, head=head, pool=pool, now=now)
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=None,
                act="expire_grants",
                subjects=[f"grant/{book}/{each.of.id}" for each in over],
            )
            ended += len(over)


async def _expire(
    conn: AsyncConnection, head: Head, unit: int, over: list[Standing], *, now: datetime
) -> None:
    issuing = await accounts.issuing_account(conn, head=head, unit=unit, now=now)
    held = await accounts.find_accounts(
        conn,
        book=head.book,
        unit=unit,
        kind=AccountKind.VOLUNTEER,
        owners=[each.of.volunteer for each in over],
    )
    found = await pool_store.list_by_id(
        conn, book=head.book, ids={each.of.pool for each in over if each.of.pool is not None}
    )
    funds = await pool_accounts(conn, head=head, pools=list(found.values()), now=now)
    outcomes = await journal.append(
        conn,
        head=head,
        transfers=[
            Transfer(
                key=service_key(now, "expiry", head.book, each.of.id),
                kind=TransferKind.EXPIRY if each.of.pool is None else TransferKind.RELEASE,
                unit=unit,
                debit=held[each.of.volunteer],
                credit=issuing if each.of.pool is None else funds[each.of.pool].left,
                amount=each.left,
                effective_at=now,
                volunteer=each.of.volunteer,
            )
            for each in over
        ],
        now=now,
    )
    for each, outcome in zip(over, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            raise AssertionError(f"an expiry of what is left was refused: {outcome}")
        each.take(StepKind.EXPIRED, at=now, person=None, seq=outcome.seq, amount=each.left)
    await entitlements.write_steps(conn, book=head.book, standings=over)
