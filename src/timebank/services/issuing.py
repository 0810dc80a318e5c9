"""An approved grant becomes the volunteer's: set aside in its pool, then issued, in one commit.

Whoever calls holds the book's lock, so that no two of them see the same money.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.entitlement import Entitlement, Standing, State, StepKind
from timebank.domain.period import day_start
from timebank.domain.pool import Pool, WhenOut
from timebank.domain.posting import AlreadyPosted, Posted, PostingRefusal, PostingRefused
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.ledger import accounts, decisions, entitlements, journal
from timebank.ledger.decisions import Decision
from timebank.ledger.journal import Head
from timebank.services.pools import PoolAccounts, pool_accounts
from timebank.services.settling import Source, find_owed, settle
from timebank.store import pools as pool_store

_EPOCH_YEAR = 2000
"""The year in the key of what is given once in a life."""


async def issue(
    conn: AsyncConnection,
    *,
    head: Head,
    standings: Sequence[Standing],
    person: UUID | None,
    now: datetime,
) -> None:
    """Approve and issue grants, as far as their pools reach, and write what became of each.

    One for which its pool does not reach waits or is refused, as the pool says.

    Cost: a handful of statements per unit and pool, whatever the number of grants.
    """
    pools = await pool_store.list_by_id(
        conn, book=head.book, ids={each.of.pool for each in standings if each.of.pool is not None}
    )
    known = await entitlements.list_known_entries(
        conn, book=head.book, runs={each.of.run for each in standings if each.of.run is not None}
    )
    by_unit = sorted(standings, key=lambda each: each.of.unit)
    for unit, group in groupby(by_unit, key=lambda each: each.of.unit):
        # Within a unit the caller's order decides who comes first.
        await _issue_unit(
            conn,
            head=head,
            unit=unit,
            standings=list(group),
            pools=pools,
            known=known,
            person=person,
            now=now,
        )


async def _issue_unit(
    conn: AsyncConnection,
    *,
    head: Head,
    unit: int,
    standings: Sequence[Standing],
    pools: dict[int, Pool],
    known: dict[int, int],
    person: UUID | None,
    now: datetime,
) -> None:
    issuing = await accounts.issuing_account(conn, head=head, unit=unit, now=now)
    held = await accounts.ensure_accounts(
        conn,
        head=head,
        unit=unit,
        kind=AccountKind.VOLUNTEER,
        owners=list(dict.fromkeys(each.of.volunteer for each in standings)),
        now=now,
        # What is granted can be spent, never more than that.
        is_debit_bounded=True,
    )
    funds = await pool_accounts(
        conn,
        head=head,
        pools=[pools[each] for each in {s.of.pool for s in standings} if each is not None],
        now=now,
    )
    transfers: list[Transfer] = []
    places: list[range] = []
    for each in standings:
        first = len(transfers)
        fund = None if each.of.pool is None else funds[each.of.pool]
        transfers.extend(_transfers(head, each.of, issuing, held[each.of.volunteer], fund))
        places.append(range(first, len(transfers)))

    outcomes = await journal.append(
        conn,
        head=head,
        transfers=transfers,
        linked=[each for each in places if len(each) > 1],
        now=now,
    )

    posted: list[Decision] = []
    issued: list[Standing] = []
    for each, place in zip(standings, places, strict=True):
        begun, last = outcomes[place.start], outcomes[place.stop - 1]
        if isinstance(last, Posted):
            is_committed = len(place) > 1 and isinstance(begun, Posted)
            each.take(
                StepKind.APPROVED,
                at=now,
                person=person,
                seq=begun.seq if is_committed and isinstance(begun, Posted) else None,
                amount=each.of.amount if is_committed else None,
            )
            each.take(StepKind.ISSUED, at=now, person=None, seq=last.seq, amount=each.of.amount)
            posted.append(_decision(each.of, last.seq, known.get(each.of.run or 0, head.seq)))
            issued.append(each)
        elif isinstance(last, AlreadyPosted):
            # Granted by a release that knew no life cycle: the entry is there, and stays the one.
            each.take(StepKind.APPROVED, at=now, person=person)
            each.take(StepKind.ISSUED, at=now, person=None, seq=last.seq, amount=each.of.amount)
        elif begun == PostingRefused(PostingRefusal.EXCEEDS_BOUND):
            pool = pools[each.of.pool or 0]
            kind = StepKind.QUEUED if pool.when_out is WhenOut.QUEUE else StepKind.REFUSED
            if each.state is not State.WAITING or kind is StepKind.REFUSED:
                each.take(kind, at=now, person=None, note=PostingRefusal.EXCEEDS_BOUND.value)
        else:
            raise AssertionError(f"a decided grant was refused: {begun}, {last}")
    await decisions.insert_decisions(conn, book=head.book, decisions=posted)
    await _withhold(conn, head=head, unit=unit, issued=issued, now=now)
    await entitlements.write_steps(conn, book=head.book, standings=standings)


def _transfers(
    head: Head, of: Entitlement, issuing: int, held: int, fund: PoolAccounts | None
) -> list[Transfer]:
    zone = ZoneInfo(head.zone)
    # The key's time is that of the period, so that the same grant has one key on every day.
    year = int(of.period[:4]) if of.period[:4].isdigit() else _EPOCH_YEAR
    at = day_start(date(year, 1, 1), zone=zone)
    effective_at = day_start(of.decided_on, zone=zone)
    names = (head.book, of.volunteer, *of.key_parts)
    grant = Transfer(
        key=service_key(at, "grant", *names),
        kind=TransferKind.GRANT,
        unit=of.unit,
        debit=issuing if fund is None else fund.committed,
        credit=held,
        amount=of.amount,
        effective_at=effective_at,
        volunteer=of.volunteer,
    )
    if fund is None:
        return [grant]
    commitment = Transfer(
        key=service_key(at, "commitment", *names),
        kind=TransferKind.COMMITMENT,
        unit=of.unit,
        debit=fund.left,
        credit=fund.committed,
        amount=of.amount,
        effective_at=effective_at,
        volunteer=of.volunteer,
    )
    return [commitment, grant]


def _decision(of: Entitlement, seq: int, as_of: int) -> Decision:
    return Decision(
        seq=seq,
        volunteer=of.volunteer,
        pack=of.pack,
        pack_hash=of.pack_hash,
        rule=of.rule,
        tier=of.tier,
        period=of.period,
        as_of=as_of,
        reasons=of.reasons,
    )


async def _withhold(
    conn: AsyncConnection,
    *,
    head: Head,
    unit: int,
    issued: Sequence[Standing],
    now: datetime,
) -> None:
    """Keep of what was just issued what its volunteers still owe of the same unit, oldest first."""
    owing = await accounts.find_accounts(
        conn,
        book=head.book,
        unit=unit,
        kind=AccountKind.RECEIVABLE,
        owners=list({each.of.volunteer for each in issued}),
    )
    for each in issued:
        if each.of.volunteer not in owing:
            continue
        owed = await find_owed(conn, book=head.book, volunteer=each.of.volunteer, unit=unit)
        amount = min(owed.whole, each.left)
        if amount <= 0:
            continue
        seq, _back = await settle(
            conn,
            head=head,
            volunteer=each.of.volunteer,
            unit=unit,
            amount=amount,
            source=Source.HELD,
            named=("withheld", each.of.id),
            person=None,
            note="",
            now=now,
        )
        each.take(StepKind.WITHHELD, at=now, person=None, seq=seq, amount=amount)
