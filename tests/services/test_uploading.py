"""What was read without network is recorded once however often it is sent, and nothing is dropped."""

import asyncio
import hmac
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.factories import BOOK, KEY, NINE, ShiftId, World

from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.evidence import WALL_READING
from timebank.domain.offline_kit import (
    Kit,
    Reading,
    make_kit,
    read_kit,
    reading_key,
    reading_message,
)
from timebank.domain.personal_code import make_card_code, make_sign_in_code
from timebank.domain.qr import make_code
from timebank.domain.volunteer_number import format_number
from timebank.ledger import audit
from timebank.services.errors import NotFoundError
from timebank.services.uploading import (
    SeenCode,
    SentReading,
    settle_conflicts,
    upload_readings,
    upload_seen_codes,
)
from timebank.store.offline_readings import ReadingOutcome

HOUR = timedelta(hours=1)
ENDS = NINE + 3 * HOUR
ARRIVE, LEAVE = Direction.ARRIVE, Direction.LEAVE


def organizer(*organizations: OrganizationId) -> Actor:
    return Actor(uuid4(), frozenset({Role.ORGANIZER}), organizations=organizations)


class Device:
    """An organizer's device with a kit; it counts and signs as the page's script does."""

    def __init__(self, db: Database, shift: ShiftId, actor: Actor, *, at: datetime = NINE) -> None:
        self.db, self.actor = db, actor
        self.kit_text = make_kit(
            Kit(shift.book, shift.id, actor.person, at, b"kit " * 2), master_key=KEY
        )
        self.number = 0

    def read(
        self, at: datetime, direction: Direction, *, code: str = "", named: str = ""
    ) -> SentReading:
        self.number += 1
        nonce = self.number.to_bytes(16, "big")
        reading = Reading(nonce, self.number, at, direction, code, named)
        key = reading_key(self.kit_text, master_key=KEY)
        return SentReading(reading, hmac.digest(key, reading_message(reading), "sha256"))

    async def send(
        self, *sent: SentReading, now: datetime = ENDS + HOUR, actor: Actor | None = None
    ) -> list[ReadingOutcome]:
        kit = read_kit(self.kit_text, master_key=KEY)
        assert kit is not None
        outcomes = await upload_readings(
            self.db,
            actor=actor or self.actor,
            kit_text=self.kit_text,
            kit=kit,
            sent=sent,
            master_key=KEY,
            now=now,
        )
        return [outcomes[each.reading.nonce] for each in sent]


async def card_of(owner: asyncpg.Connection, volunteer: VolunteerId) -> str:
    await owner.execute(
        "insert into card (book_id, volunteer_id, card, issued_at) values ($1, $2, 1, $3)",
        volunteer.book,
        volunteer.id,
        NINE,
    )
    return make_card_code(master_key=KEY, volunteer=volunteer, card=1)


async def check(db: Database) -> None:
    async with db.read() as conn:
        for rule in audit.RULES:
            assert await audit.find_broken(conn, book=BOOK, rule=rule) is None


async def test_the_same_upload_ten_times_at_once_is_one_entry(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    signed_up, walk_up = await world.volunteers(2)
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=[signed_up], places=1)
    device = Device(db, shift, organizer(team))
    card = await card_of(owner, signed_up)
    number = format_number(walk_up.book, walk_up.id)
    sent = [
        device.read(NINE, ARRIVE, code=card),
        device.read(NINE, ARRIVE, named=number),
        device.read(NINE + 2 * HOUR, LEAVE, named=number),
        device.read(NINE + 2 * HOUR, LEAVE, code=card),
    ]

    await asyncio.gather(*(device.send(*sent) for _ in range(10)))
    again = await device.send(*sent)

    assert [each.is_conflict for each in again] == [False] * 4
    rows = await owner.fetch("select volunteer, amount, assurance, measured from transfer")
    assert {tuple(row) for row in rows} == {(signed_up.id, 120, 3, 3), (walk_up.id, 120, 3, 0)}
    assert len(rows) == 2
    assert await owner.fetchval("select count(*) from offline_reading") == 4
    assert await owner.fetchval("select count(*) from offline_reading where outcome is null") == 0
    await check(db)


async def test_what_the_books_refuse_is_kept_as_a_conflict_until_somebody_has_looked(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    closed, late, nobody, own, stale = await world.volunteers(5)
    person: UUID = await world.person_of(own)
    team = await world.organization()
    actor = Actor(person, frozenset({Role.ORGANIZER}), organizations=(team,))
    shift = await world.shift(organization=team, signed_up=[closed, own, stale])
    device = Device(db, shift, actor)
    code = make_sign_in_code(master_key=KEY, volunteer=stale, now=NINE - timedelta(seconds=500))
    sent = [
        device.read(NINE, LEAVE, named=format_number(closed.book, closed.id)),
        device.read(NINE + 9 * HOUR, ARRIVE, named=format_number(late.book, late.id)),
        device.read(NINE, ARRIVE, named="330424000000000"),
        device.read(NINE, ARRIVE, code=make_card_code(master_key=KEY, volunteer=nobody, card=9)),
        device.read(NINE, ARRIVE, named=format_number(own.book, own.id)),
        device.read(NINE + HOUR, ARRIVE, code=code),
        device.read(NINE + HOUR, ARRIVE, code=make_sign_in_code(
            master_key=KEY, volunteer=stale, now=NINE + HOUR - timedelta(seconds=500))),
    ]  # fmt: skip
    outcomes = await device.send(*sent, now=NINE + 10 * HOUR)

    assert [each.code for each in outcomes] == [
        "scan.not_arrived",
        "signup.shift_ended",
        "upload.nobody_named",
        "personal_code.revoked",
        "scan.own_code",
        "personal_code.expired",
        "arrived",
    ]
    assert [each.is_conflict for each in outcomes] == [True] * 6 + [False]
    # The clock stepped back from the second reading on; what was recorded says so.
    assert outcomes[-1].flag == "flag.clock_moved"
    assert await owner.fetchval("select count(*) from offline_reading where is_conflict") == 6

    assert (
        await settle_conflicts(db, actor=actor, shift_book=shift.book, shift=shift.id, now=ENDS)
        == 7
    )
    assert (
        await settle_conflicts(db, actor=actor, shift_book=shift.book, shift=shift.id, now=ENDS)
        == 0
    )
    with pytest.raises(NotFoundError):
        await settle_conflicts(
            db,
            actor=organizer(await world.organization()),
            shift_book=shift.book,
            shift=shift.id,
            now=ENDS,
        )


async def test_only_the_kit_s_own_device_and_organizer_are_believed_and_only_for_72_hours(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    (volunteer,) = await world.volunteers()
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=[volunteer])
    device = Device(db, shift, organizer(team))
    number = format_number(volunteer.book, volunteer.id)
    true = device.read(NINE, ARRIVE, named=number)

    forged = SentReading(Reading(true.reading.nonce, 1, NINE + HOUR, ARRIVE, "", number), true.mac)
    assert [each.code for each in await device.send(forged)] == ["upload.forged"]
    for colleague in (organizer(team), organizer(await world.organization())):
        with pytest.raises(NotFoundError):
            await device.send(true, actor=colleague)
    assert await owner.fetchval("select count(*) from offline_reading") == 0
    assert read_kit(device.kit_text[:-2] + "AA", master_key=KEY) is None
    assert read_kit("", master_key=KEY) is None

    early = device.read(ENDS + 2 * HOUR, ARRIVE, named=number)
    assert [each.code for each in await device.send(early, now=ENDS)] == ["upload.in_future"]
    assert [
        each.code for each in await device.send(true, now=NINE + timedelta(hours=72, seconds=1))
    ] == ["upload.too_late"]
    assert await owner.fetchval("select count(*) from attendance") == 0

    # One nonce is one reading, whatever else is sent under it.
    other = device.read(NINE, LEAVE, named=number)
    device.number = 0
    reused = device.read(NINE, LEAVE, named=number)
    assert [each.code for each in await device.send(other, reused, now=ENDS)] == [
        "scan.not_arrived",
        "upload.nonce_reused",
    ]


async def test_a_volunteer_s_phone_keeps_what_it_saw_and_is_believed_as_far_as_the_codes_go(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    honest, copier, backwards = await world.volunteers(3)
    team = await world.organization()
    shift = await world.shift(organization=team, signed_up=[honest, copier, backwards])
    seen_at = NINE + timedelta(seconds=33)

    def code(direction: Direction, at: datetime) -> str:
        return make_code(
            master_key=KEY, shift_book=shift.book, shift=shift.id, direction=direction, now=at
        )

    def seen(number: int, text: str, at: datetime) -> SeenCode:
        nonce = f"{number}{text}{at}".encode()[-16:]
        return SeenCode(Reading(nonce, number, at, ARRIVE, text, ""), None, WALL_READING)

    async def send(volunteer: VolunteerId, *codes: SeenCode) -> list[str]:
        actor = Actor(uuid4(), frozenset({Role.VOLUNTEER}), volunteer=volunteer)
        found: dict[bytes, ReadingOutcome] = {}
        for _ in range(3):
            found = await upload_seen_codes(
                db, actor=actor, volunteer=volunteer, seen=codes, master_key=KEY, now=ENDS + HOUR
            )
        return [found[each.reading.nonce].code for each in codes]

    arrival, departure = code(ARRIVE, seen_at), code(LEAVE, ENDS - HOUR)
    assert await send(
        honest,
        # A minute wrong is what phones are.
        seen(1, arrival, seen_at + timedelta(seconds=70)),
        seen(2, departure, ENDS - HOUR + timedelta(seconds=70)),
    ) == ["arrived", "left"]
    (row,) = await owner.fetch("select amount, assurance, measured, effective_at from transfer")
    assert (row["amount"], row["assurance"], row["measured"]) == (119, 1, 3)
    assert row["effective_at"] == NINE + timedelta(seconds=30)

    assert await send(
        copier, seen(1, arrival, seen_at + timedelta(minutes=20)), seen(2, "garbage", seen_at)
    ) == ["upload.window_mismatch", "scan.foreign_code"]
    assert await send(backwards, seen(1, departure, ENDS - HOUR), seen(2, arrival, seen_at)) == [
        "scan.not_arrived",
        "upload.out_of_order",
    ]
    kept = await owner.fetch("select outcome from offline_reading where is_conflict")
    assert sorted(row["outcome"] for row in kept) == [
        "scan.not_arrived",
        "upload.out_of_order",
        "upload.window_mismatch",
    ]
    assert await owner.fetchval("select count(*) from transfer") == 1
    await check(db)
