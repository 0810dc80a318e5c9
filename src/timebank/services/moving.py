"""Volunteers move to another county: their balances follow through clearing accounts.

Two books are two commits. The first empties the old book's accounts and writes down what is on its
way; the second fills those of the new book under the same keys and ends the carriage. Whoever stops
between the two is completed by running either use case again; nothing is written twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.entitlement import HELD, Standing, StepKind, Terms
from timebank.domain.moving import (
    Load,
    MovedToCounty,
    MovingRefused,
    carried_away,
    carried_in,
    decide_moving,
    goes_along,
    loads_of_minutes,
    reversed_months,
)
from timebank.domain.period import local_day
from timebank.domain.posting import PostingOutcome, PostingRefused
from timebank.domain.region import county_of
from timebank.domain.transfer import AccountKind, Transfer, Unit, service_key
from timebank.ledger import accounts, balances, carriages, entitlements, journal
from timebank.ledger.carriages import Carriage
from timebank.ledger.journal import Head
from timebank.services import enrolment
from timebank.services.errors import NotFoundError
from timebank.store import (
    attestations,
    audit_events,
    numbering,
    people,
    profiles,
    regions,
    volunteers,
)
from timebank.store.volunteers import Volunteer


async def move_to_county(
    db: Database, *, volunteer: VolunteerId, village: int, person: UUID | None, now: datetime
) -> MovedToCounty | MovingRefused:
    """Move a volunteer to a village of another county, into its book.

    They end in the old book, whose history stays as it is, and are a volunteer of the new one with
    all balances, the months they served as an opening, and what was granted to them. Running it
    again completes what was interrupted and changes nothing that is done. `person` is who does it,
    None for the operator's command line.

    Raises:
        NotFoundError: There is no such volunteer, or they left for somewhere else.
    """
    async with db.write() as conn:
        found = await volunteers.find_volunteer(conn, volunteer=volunteer)
        if found is None:
            raise NotFoundError
        if found.person is not None:
            # As in enrolment, the person's lock comes first.
            await people.lock_person(conn, person=found.person)
        head = await journal.find_locked_head(conn, book=volunteer.book)
        found = await volunteers.find_volunteer(conn, volunteer=volunteer)
        if head is None or found is None:
            raise NotFoundError
        sent = await carriages.list_carriages(conn, volunteer=volunteer)
        if found.ended_at is not None:
            if not any(each.village == village for each in sent):
                raise NotFoundError
        else:
            home = await regions.find_region(conn, code=village)
            to_book = county_of(village)
            reason = decide_moving(
                book=volunteer.book,
                village=village,
                village_level=None if home is None else home.level,
                is_open=await balances.find_head_seq(conn, book=to_book) is not None,
            )

            if reason is not None:
                return MovingRefused(reason)
            await _send(conn, head=head, volunteer=found, sent=sent, village=village, now=now)
            await volunteers.set_ended(conn, volunteer=volunteer, ended_at=now)
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=person,
                act="move_to_county",
                subjects=[f"volunteer/{volunteer.book}/{volunteer.id}"],
            )
    arrived = await complete_move(db, volunteer=volunteer, now=now)
    if arrived is None:
        raise AssertionError("a volunteer who moved did not arrive")
    return MovedToCounty(arrived)


async def complete_move(
    db: Database, *, volunteer: VolunteerId, now: datetime
) -> VolunteerId | None:
    """Bring what is on its way from a volunteer's former book into the one they moved to.

    Returns who they are there; None where they never moved away.
    """
    while True:
        async with db.write() as conn:
            found = await volunteers.find_volunteer(conn, volunteer=volunteer)
            if found is None:
                return None
            if found.person is not None:
                await people.lock_person(conn, person=found.person)
            # Two who complete the same move wait here.
            sent = await carriages.list_carriages(conn, volunteer=volunteer)
            moves = [each for each in sent if each.village is not None]
            arrived = moves[-1].arrived if moves else None
            under_way = next((each for each in sent if each.arrived_at is None), None)
            if under_way is None:
                return arrived
            before = [each for each in moves if each.number <= under_way.number]
            onward = await _receive(
                conn, former=found, carriage=under_way, move=before[-1], now=now
            )
        if onward is not None:
            await complete_move(db, volunteer=onward, now=now)


async def complete_moves(db: Database, *, now: datetime) -> int:
    """Complete every move that was interrupted, and send on what came to light after a move.

    That is what a correction or a late import left in the book of somebody who is gone. Returns how
    many volunteers there were something to do for.
    """
    async with db.read() as conn:
        left_behind = await carriages.list_left_behind(conn)
    for volunteer in left_behind:
        async with db.write() as conn:
            head = await journal.find_locked_head(conn, book=volunteer.book)
            if head is not None:
                await send_rest(conn, head=head, volunteer=volunteer, now=now)
    async with db.read() as conn:
        under_way = await carriages.list_under_way(conn)
    for volunteer in under_way:
        await complete_move(db, volunteer=volunteer, now=now)
    return len({*left_behind, *under_way})


async def send_rest(
    conn: AsyncConnection, *, head: Head, volunteer: VolunteerId, now: datetime
) -> bool:
    """Send on what is in the book of somebody who moved away; False where they are still in it.

    The caller holds the book's lock, and completes the move after its commit.
    """
    found = await volunteers.find_volunteer(conn, volunteer=volunteer)
    if found is None or found.ended_at is None:
        return False
    sent = await carriages.list_carriages(conn, volunteer=volunteer)
    if not sent:
        return False
    await _send(conn, head=head, volunteer=found, sent=sent, village=None, now=now)
    return True


async def _send(
    conn: AsyncConnection,
    *,
    head: Head,
    volunteer: Volunteer,
    sent: list[Carriage],
    village: int | None,
    now: datetime,
) -> None:
    """Empty a volunteer's accounts and write down what is on its way."""
    to_book = sent[-1].to_book if village is None else county_of(village)
    loads = await _loads(conn, volunteer=volunteer)
    if not loads and village is None:
        return
    number = len(sent) + 1
    first_seq = head.seq + 1
    transfers = [
        carried_away(
            load,
            clearing=await _clearing(conn, head=head, unit=load.unit, other=to_book, now=now),
            key=service_key(now, "carried", volunteer.id.book, volunteer.id.id, number, place),
            at=now,
            volunteer=volunteer.id.id,
        )
        for place, load in enumerate(loads)
    ]
    seqs = await _append(conn, head=head, transfers=transfers, now=now)
    await carriages.append_months(
        conn,
        volunteer=volunteer.id,
        months={seq: reversed_months(load.months) for seq, load in zip(seqs, loads, strict=True)},
    )
    await _end_lots(
        conn,
        volunteer=volunteer.id,
        entries={load.unit: seq for seq, load in zip(seqs, loads, strict=True)},
        now=now,
    )
    await carriages.insert_carriage(
        conn,
        carriage=Carriage(
            volunteer=volunteer.id,
            number=number,
            to_book=to_book,
            to_volunteer=None,
            village=village,
            first_seq=first_seq,
            last_seq=head.seq,
            left_at=now,
            arrived_at=None,
        ),
    )


async def _end_lots(
    conn: AsyncConnection, *, volunteer: VolunteerId, entries: Mapping[int, int], now: datetime
) -> None:
    """Note of each grant that what is left of it was taken along, by the entry of its unit."""
    gone = [
        each
        for each in await entitlements.list_of_volunteer(
            conn, book=volunteer.book, volunteer=volunteer.id
        )
        if each.of.unit in entries and each.state in HELD and each.left
    ]
    for each in gone:
        each.take(
            StepKind.CARRIED, at=now, person=None, seq=entries[each.of.unit], amount=each.left
        )
    await entitlements.write_steps(conn, book=volunteer.book, standings=gone)


async def _begin_lots(
    conn: AsyncConnection,
    *,
    head: Head,
    carriage: Carriage,
    to: VolunteerId,
    entries: Mapping[int, int],
    now: datetime,
) -> None:
    """Give the volunteer of the new book what was left of each grant, with its last day.

    `entries` are those of the new book, by those of the old one.
    """
    former = carriage.volunteer
    taken = await entitlements.list_carried(
        conn,
        book=former.book,
        volunteer=former.id,
        first_seq=carriage.first_seq,
        last_seq=carriage.last_seq,
    )
    ids = await numbering.take_numbers(
        conn, book=head.book, noun="entitlement", count=max(len(taken), 1)
    )
    today = local_day(now, zone=ZoneInfo(head.zone))
    made = [
        replace(
            standing.of,
            book=head.book,
            id=number,
            volunteer=to.id,
            source=f"carried:{former.book}/{standing.of.id}/{carriage.number}",
            amount=amount,
            decided_on=today,
            # Here it stands on its own: its grounds and its pool stayed where they were.
            terms=Terms(),
            pool=None,
            run=None,
            proposed_at=now,
            proposed_by=None,
        )
        for number, (standing, _seq, amount) in zip(ids, taken, strict=False)
    ]
    await entitlements.insert_entitlements(conn, book=head.book, entitlements=made)
    standings = []
    for of, (_standing, seq, amount) in zip(made, taken, strict=True):
        arrived = Standing(of, expires_on=of.expires_on)
        arrived.take(StepKind.PROPOSED, at=now, person=None)
        arrived.take(StepKind.ISSUED, at=now, person=None, seq=entries[seq], amount=amount)
        standings.append(arrived)
    await entitlements.write_steps(conn, book=head.book, standings=standings)


async def _loads(conn: AsyncConnection, *, volunteer: Volunteer) -> list[Load]:
    months = await carriages.list_months(conn, volunteer=volunteer.id)
    loads = loads_of_minutes(volunteer.minutes_account, Unit.MINUTES, months)
    for account in await accounts.list_accounts_of(
        conn, book=volunteer.id.book, volunteer=volunteer.id.id
    ):
        if account.id == volunteer.minutes_account:
            continue
        if not goes_along(await accounts.find_unit_code(conn, unit=account.unit) or ""):
            continue
        held = (await balances.balance(conn, book=volunteer.id.book, account=account.id)).held
        if held:
            loads.append(Load(account.id, account.unit, held))
    return loads


async def _receive(
    conn: AsyncConnection, *, former: Volunteer, carriage: Carriage, move: Carriage, now: datetime
) -> VolunteerId | None:
    """Take one carriage into the other book.

    Returns the volunteer there if they moved on from it meanwhile, so that this must follow.
    """
    head = await journal.find_locked_head(conn, book=carriage.to_book)
    if head is None:
        raise AssertionError("a book is never closed")
    arrived = move.arrived or await _arrive(conn, head=head, former=former, move=move, now=now)

    entries = await carriages.list_carried_entries(conn, carriage=carriage)
    old = {
        each.id: each
        for each in await accounts.list_accounts_of(
            conn, book=former.id.book, volunteer=former.id.id
        )
    }
    halves = []
    for entry in entries:
        away = entry.transfer
        is_given = away.debit in old
        account = old[away.debit if is_given else away.credit]
        opened = await accounts.ensure_accounts(
            conn,
            head=head,
            unit=account.unit,
            kind=account.kind,
            owners=[arrived.id],
            now=now,
            is_debit_bounded=account.is_debit_bounded,
            is_credit_bounded=account.kind is AccountKind.RECEIVABLE,
        )
        clearing = await _clearing(conn, head=head, unit=away.unit, other=former.id.book, now=now)
        halves.append(
            carried_in(
                away,
                is_given=is_given,
                account=opened[arrived.id],
                clearing=clearing,
                volunteer=arrived.id,
            )
        )
    seqs = await _append(conn, head=head, transfers=halves, now=now)
    months = await carriages.list_carried_months(conn, carriage=carriage)
    await carriages.append_months(
        conn,
        volunteer=arrived,
        months={
            seq: reversed_months(months.get(entry.seq, ()))
            for seq, entry in zip(seqs, entries, strict=True)
        },
    )
    await _begin_lots(
        conn,
        head=head,
        carriage=carriage,
        to=arrived,
        entries={entry.seq: seq for seq, entry in zip(seqs, entries, strict=True)},
        now=now,
    )
    await carriages.copy_grants(conn, volunteer=former.id, to=arrived)
    if carriage.village is not None:
        await attestations.copy_attestations(conn, volunteer=former.id, to=arrived, now=now)
        await profiles.copy_profiles(conn, volunteer=former.id, to=arrived, now=now)
    await carriages.set_arrived(conn, carriage=carriage, to_volunteer=arrived.id, now=now)
    is_onward = await send_rest(conn, head=head, volunteer=arrived, now=now)
    return arrived if is_onward else None


async def _arrive(
    conn: AsyncConnection, *, head: Head, former: Volunteer, move: Carriage, now: datetime
) -> VolunteerId:
    """Make the volunteer of the new book, or open again the one they were there before."""
    if move.village is None:
        raise AssertionError("a move has a new home")
    known = (
        None
        if former.person is None
        else await volunteers.find_volunteer_of(conn, person=former.person, book=head.book)
    )
    if known is not None:
        await volunteers.set_returned(conn, volunteer=known, now=now)
        await volunteers.set_home(
            conn,
            volunteer=known,
            region=move.village,
            from_on=local_day(move.left_at, zone=ZoneInfo(head.zone)),
            now=now,
        )
        return known
    (arrived,) = await enrolment.insert_volunteers(
        conn, head=head, enrolments=[(former.person, None, move.village, move.left_at)], now=now
    )
    await volunteers.set_registered(
        conn, volunteer=arrived, registered_at=former.registered_at or former.enrolled_at
    )
    return arrived


async def _clearing(
    conn: AsyncConnection, *, head: Head, unit: int, other: int, now: datetime
) -> int:
    opened = await accounts.ensure_accounts(
        conn, head=head, unit=unit, kind=AccountKind.CLEARING, owners=[other], now=now
    )
    return opened[other]


async def _append(
    conn: AsyncConnection, *, head: Head, transfers: list[Transfer], now: datetime
) -> list[int]:
    outcomes = await journal.append(
        conn, head=head, transfers=transfers, linked=[range(len(transfers))], now=now
    )
    return [_seq_of(outcome) for outcome in outcomes]


def _seq_of(outcome: PostingOutcome) -> int:
    if isinstance(outcome, PostingRefused):
        raise AssertionError(f"a carriage was refused: {outcome.reason}")
    return outcome.seq
