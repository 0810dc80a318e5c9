"""A signed list becomes declared records once, and nothing of it bypasses a check."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import BOOK, NINE, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.paper_list import LINES_MAX, PaperLine, PaperRefusal
from timebank.domain.qr import Scan
from timebank.ledger import audit
from timebank.services.approving import approve
from timebank.services.checkin import ScanRequest, record_scans
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.paper_list import PaperHeld, PaperList, enter_paper_list, note_printed

HOUR = timedelta(hours=1)
ENDS = NINE + 3 * HOUR
OTHER_BOOK = 330481


def organizer(*organizations: OrganizationId, person: UUID | None = None) -> Actor:
    return Actor(person or uuid4(), frozenset({Role.ORGANIZER}), organizations=organizations)


def line(volunteer: VolunteerId | None, *, hours: float = 3) -> PaperLine:
    return PaperLine("…", volunteer, NINE, NINE + hours * HOUR)


async def test_a_signed_list_is_entered_once_and_says_by_whom(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    expected, walk_up, scanned, busy, own = await world.volunteers(5)
    (guest,) = await world.volunteers(book=OTHER_BOOK)
    person = await world.person_of(own)
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=[expected, scanned, own], places=3)
    elsewhere = await world.shift(signed_up=[busy])
    for volunteer, where in ((scanned, shift), (busy, elsewhere)):
        scan = Scan(where.book, where.id, Direction.ARRIVE, NINE + HOUR)
        await record_scans(db, requests=[ScanRequest(volunteer, scan)], now=NINE + HOUR)
    actor = organizer(team, person=person)
    lines = [
        line(expected),
        line(walk_up, hours=1.5),
        line(None),
        line(scanned),
        line(busy),
        line(own),
        line(guest, hours=2),
        line(expected),
    ]

    async def enter(*, is_preview: bool = False) -> PaperList:
        entered = await enter_paper_list(
            db,
            actor=actor,
            shift_book=shift.book,
            shift=shift.id,
            lines=lines,
            is_preview=is_preview,
            now=ENDS,
        )
        assert isinstance(entered, PaperList)
        return entered

    before = await owner.fetchval("select count(*) from attendance")
    preview = await enter(is_preview=True)
    assert await owner.fetchval("select count(*) from attendance") == before
    assert await owner.fetchval("select count(*) from transfer") == 0
    assert [each.refusal or each.minutes for each in preview.lines] == [
        180,
        90,
        PaperRefusal.VOLUNTEER_UNKNOWN,
        PaperRefusal.ARRIVED_BY_CODE,
        PaperRefusal.ELSEWHERE,
        PaperRefusal.OWN_HOURS,
        120,
        PaperRefusal.LINE_REPEATED,
    ]

    results = await asyncio.gather(*(enter() for _ in range(5)))

    assert sorted(each.credited for each in results) == [0, 0, 0, 0, 3]
    rows = await owner.fetch("select * from transfer order by book_id, seq")
    assert [
        (row["book_id"], row["volunteer"], row["amount"], row["assurance"], row["measured"])
        for row in rows
    ] == [
        (BOOK, expected.id, 180, 0, 0),
        (BOOK, walk_up.id, 90, 0, 0),
        (OTHER_BOOK, guest.id, 120, 0, 0),
    ]
    held = await owner.fetch(
        "select book_id, volunteer_id from signup where shift_id = $1 and withdrawn_at is null",
        shift.id,
    )
    assert {tuple(row) for row in held} >= {(walk_up.book, walk_up.id), (guest.book, guest.id)}
    entered = await owner.fetch("select * from paper_line order by line")
    assert [(row["line"], row["entered_by"]) for row in entered] == [
        (1, person),
        (2, person),
        (7, person),
    ]
    acts = await owner.fetch("select person_id, subject from audit_event where act = 'enter_paper'")
    assert {tuple(row) for row in acts} == {
        (person, f"shift/{BOOK}/{shift.id}/volunteer/{each.book}/{each.id}")
        for each in (expected, walk_up, guest)
    }
    async with db.read() as conn:
        for book in (BOOK, OTHER_BOOK):
            for rule in audit.RULES:
                assert await audit.find_broken(conn, book=book, rule=rule) is None


async def test_only_who_organizes_the_shift_enters_and_prints(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    team, other = await world.organization(), await world.organization()
    shift = await world.shift(organization=team, signed_up=[volunteer])
    nobody = Actor(uuid4(), frozenset({Role.VOLUNTEER}), volunteer=volunteer)
    for actor, failure in ((organizer(other), NotFoundError), (nobody, NotPermittedError)):
        with pytest.raises(failure):
            await enter_paper_list(
                db,
                actor=actor,
                shift_book=shift.book,
                shift=shift.id,
                lines=[line(volunteer)],
                is_preview=False,
                now=ENDS,
            )
        with pytest.raises(failure):
            await note_printed(db, actor=actor, shift_book=shift.book, shift=shift.id, now=ENDS)
    assert await owner.fetchval("select count(*) from transfer") == 0
    with pytest.raises(ValueError, match="in parts"):
        await enter_paper_list(
            db,
            actor=organizer(team),
            shift_book=shift.book,
            shift=shift.id,
            lines=[line(None)] * (LINES_MAX + 1),
            is_preview=True,
            now=ENDS,
        )


async def test_a_long_list_waits_for_a_second_person_and_keeps_the_first_one_s_name(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(60)
    team = await world.organization()
    shift = await world.shift(organization=team)
    first, second = organizer(team), organizer(team)
    held = await enter_paper_list(
        db,
        actor=first,
        shift_book=shift.book,
        shift=shift.id,
        lines=[line(each) for each in people],
        is_preview=False,
        now=ENDS,
    )
    assert isinstance(held, PaperHeld)
    assert await owner.fetchval("select count(*) from transfer") == 0

    entered = await approve(db, actor=second, book=BOOK, number=held.number, now=ENDS + HOUR)

    assert isinstance(entered, PaperList)
    assert entered.credited == 60
    assert await owner.fetchval("select count(*) from transfer where assurance = 0") == 60
    entered_by = await owner.fetch("select distinct entered_by from paper_line")
    assert [row[0] for row in entered_by] == [first.person]
