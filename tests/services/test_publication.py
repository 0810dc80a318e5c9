"""A publication is final: counted at one entry, signed, and the same bytes whatever comes after."""

import io
import os
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from openpyxl import load_workbook
from tests.factories import BOOK, VILLAGE, World
from tests.paper import codes_of, text_of

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.enrolment import Moved
from timebank.domain.posting import Posted
from timebank.domain.publication import (
    PublicationRefusal,
    Published,
    Reference,
    Refused,
    canonical,
    parse_reference,
    read_publication,
)
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.domain.window import Window
from timebank.ledger import journal
from timebank.services.correction import reverse_transfer
from timebank.services.enrolment import move_home
from timebank.services.errors import NotFoundError
from timebank.services.folding import fold_book
from timebank.services.founding import found_county
from timebank.services.publication import count_again, find_since, publish_report
from timebank.services.sealing import LogKey
from timebank.store import publications
from timebank.store.definitions import RESIDENTS_ANY_HOUR
from timebank.trust.signer import Ed25519Signer
from timebank.web.publication_paper import publication_pdf, publication_xlsx

COUNTY = Scope(BOOK * 1_000_000)
SERVED = datetime(2024, 6, 1, 1, tzinfo=UTC)
PUBLISHED = datetime(2025, 1, 15, 2, tzinfo=UTC)
KEY = LogKey(Ed25519Signer(b"k" * 32), "time.example.org")
URL = "https://time.example.org"
ENTRIES = int(os.environ.get("TIMEBANK_PUBLICATION_ENTRIES", "4000"))
"""How many come after a publication that is made again."""


async def serve(
    db: Database, *, now: datetime, first: int, people: range, minutes: int = 60
) -> None:
    """Record one service each, by the organizer's word."""
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        outcomes = await journal.append(
            conn,
            head=head,
            transfers=[
                Transfer(
                    service_key(SERVED, first + person),
                    TransferKind.SERVICE,
                    Unit.MINUTES,
                    1,
                    1 + person,
                    minutes,
                    SERVED,
                    person,
                    Service(1, 3, BOOK, 1, None, 1, VILLAGE),
                )
                for person in people
            ],
            now=now,
        )
    assert all(isinstance(each, Posted) for each in outcomes)


async def publish(
    db: Database,
    *,
    now: datetime = PUBLISHED,
    scope: Scope = COUNTY,
    year: int = 2024,
    key: LogKey | None = KEY,
) -> Published | Refused:
    return await publish_report(
        db,
        scope=scope,
        window=Window.of_year(year),
        definition=RESIDENTS_ANY_HOUR,
        key=key,
        url=URL,
        person=None,
        now=now,
    )


@pytest.fixture
async def county(db: Database, world: World) -> Database:
    """Haiyan with eight volunteers of one village, of whom five served in 2024."""
    await found_county(db, book=BOOK, now=datetime(2024, 1, 1, tzinfo=UTC))
    await world.volunteers(8)
    await serve(db, now=datetime(2024, 6, 2, tzinfo=UTC), first=0, people=range(1, 6))
    return db


@pytest.mark.needs_poppler
async def test_a_publication_is_made_again_byte_for_byte_after_more_entries_and_corrections(
    county: Database, world: World, owner: asyncpg.Connection
) -> None:
    made = await publish(county)
    assert isinstance(made, Published)
    publication = made.publication
    assert (publication.reference, publication.seq) == (Reference(BOOK, 1), 5)
    assert publication.top.active == 5
    assert publication.head.size >= publication.seq
    assert publication.head.note.startswith(f"time.example.org/{BOOK}\n")
    assert read_publication(made.content) == publication
    assert canonical(publication) == made.content
    assert await owner.fetchval("select act from audit_event") == "publish_report"

    pdf = await publication_pdf(publication, content=made.content)
    text = text_of(pdf)
    assert "海盐县 2024 年志愿服务活跃率公报" in text
    assert "武原街道" in text
    assert codes_of(pdf) == [f"{URL}/publications/{BOOK}-1"]
    xlsx = publication_xlsx(publication, content=made.content)
    sheet = load_workbook(io.BytesIO(xlsx))["公报"]
    assert [cell.value for cell in sheet[2]][1] == "海盐县"
    assert sheet.max_row == 1 + len(publication.rows)

    assert await publish(county) == Refused(PublicationRefusal.UNCHANGED)

    # More entries, three reversals, a move that is told late: none of it touches what was published.
    later = PUBLISHED + timedelta(days=1)
    await serve(county, now=later, first=100, people=range(5, 9), minutes=30)
    for seq, reason in ((1, "代签"), (2, "代签"), (6, "重复登记")):
        await reverse_transfer(county, actor=None, book=BOOK, seq=seq, reason=reason, now=later)
    mover = VolunteerId(BOOK, 3)
    away = await move_home(
        county, volunteer=mover, village=330424102200, from_on=date(2024, 12, 1), now=later
    )
    assert isinstance(away, Moved)
    again = await count_again(county, reference=publication.reference)
    assert again.is_same
    assert await publication_pdf(again.publication, content=again.counted) == pdf
    assert publication_xlsx(again.publication, content=again.counted) == xlsx

    async with county.read() as conn:
        kept = await publications.find_publication(conn, reference=publication.reference)
    assert kept is not None
    since = await find_since(county, kept=kept)
    assert since.differences[0].fields["active"] == (5, 6)
    assert (since.changes.late, since.changes.taken_back) == (4, 3)
    assert {each.text: each.entries for each in since.changes.reasons} == {"代签": 2, "重复登记": 1}
    assert since.successor is None

    corrected = await publish(county, now=later + timedelta(days=1))
    assert isinstance(corrected, Published)
    assert corrected.publication.corrects == 1
    since = await find_since(county, kept=kept)
    assert since.successor == Reference(BOOK, 2)

    # A book that was changed behind the product's back no longer makes what was published.
    await owner.execute("update transfer set amount = 6000 where seq = 3")
    assert not (await count_again(county, reference=corrected.publication.reference)).is_same


async def test_what_is_told_at_the_same_instant_or_told_anew_changes_no_publication(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    """One instant names no state: everything here happens at it, and homes are told again."""
    await found_county(db, book=BOOK, now=SERVED)
    await world.volunteers(8)
    await owner.execute("update account set opened_at = $1", PUBLISHED)
    await serve(db, now=PUBLISHED, first=0, people=range(1, 6))
    made = await publish(db)
    assert isinstance(made, Published)
    assert (made.publication.top.registered, made.publication.top.active) == (8, 5)

    await serve(db, now=PUBLISHED, first=100, people=range(6, 9))
    reference = made.publication.reference
    assert (await count_again(db, reference=reference)).is_same
    # The same day's home told anew, somebody gone for good and back, a division with a new name.
    home = "select from_on from residence where volunteer_id = 3"
    mover = VolunteerId(BOOK, 3)
    moved = await move_home(
        db,
        volunteer=mover,
        village=330424102200,
        from_on=await owner.fetchval(home) + timedelta(days=1),
        now=PUBLISHED,
    )
    assert isinstance(moved, Moved)
    await owner.execute("update volunteer set ended_at = $1 where id = 4", SERVED)
    await owner.execute("update numbering set last = last + 1 where noun = 'volunteer_change'")
    await owner.execute("update region set name = '新名' where code = 330424102000")
    again = await count_again(db, reference=reference)
    assert again.is_same
    async with db.read() as conn:
        kept = await publications.find_publication(conn, reference=reference)
    assert kept is not None
    since = await find_since(db, kept=kept)
    assert since.differences[0].fields["registered"] == (8, 7)

    # A register that was changed behind the product's back makes nothing again.
    await owner.execute("update publication_register set content = $1", zlib.compress(b"\0" * 24))
    with pytest.raises(AssertionError, match="register"):
        await count_again(db, reference=reference)


async def test_a_publication_is_made_again_after_very_many_more_entries(
    county: Database, world: World
) -> None:
    """Some thousands here, a million in `scripts/nightly`; among them whole stored segments."""
    made = await publish(county)
    assert isinstance(made, Published)
    for first in range(0, ENTRIES, 2_000):
        async with county.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            await journal.append(
                conn,
                head=head,
                transfers=[
                    Transfer(
                        uuid4(),
                        TransferKind.SERVICE,
                        Unit.MINUTES,
                        1,
                        2 + number % 8,
                        1 + number % 300,
                        SERVED + timedelta(days=number % 400 - 200),
                        1 + number % 8,
                        Service(1, 3, BOOK, 1, None, 1 + number % 20, VILLAGE),
                    )
                    for number in range(first, min(first + 2_000, ENTRIES))
                ],
                now=PUBLISHED + timedelta(days=1),
            )
    later = PUBLISHED + timedelta(days=2)
    for seq in (1, 3, 4 + ENTRIES):
        await reverse_transfer(county, actor=None, book=BOOK, seq=seq, reason="代签", now=later)
    await fold_book(county, book=BOOK)
    reference = made.publication.reference
    again = await count_again(county, reference=reference)
    assert again.is_same
    assert await publication_pdf(again.publication, content=again.counted) == await publication_pdf(
        made.publication, content=made.content
    )
    async with county.read() as conn:
        kept = await publications.find_publication(conn, reference=reference)
    assert kept is not None
    since = await find_since(county, kept=kept)
    assert since.seq == 5 + ENTRIES + 3
    assert since.changes.taken_back == 3


async def test_a_publication_of_the_first_format_is_made_again(
    county: Database, owner: asyncpg.Connection
) -> None:
    made = await publish(county)
    assert isinstance(made, Published)
    first = canonical(replace(made.publication, register=None))
    assert b"timebank-publication/1" in first
    assert b"rate_of" not in first
    await owner.execute("update publication set content = $1", first)
    await serve(county, now=PUBLISHED + timedelta(days=1), first=100, people=range(5, 9))
    again = await count_again(county, reference=made.publication.reference)
    assert (again.content, again.is_same) == (first, True)


async def test_what_is_not_published_says_why(county: Database) -> None:
    city = Scope(330400000000)
    assert await publish(county, scope=city, year=2099) == Refused(PublicationRefusal.SEVERAL_BOOKS)
    assert await publish(county, year=2025) == Refused(PublicationRefusal.WINDOW_OPEN)
    assert await publish(county, year=2023, key=None) == Refused(PublicationRefusal.NOTHING_COUNTED)
    assert await publish(county, key=None) == Refused(PublicationRefusal.NOT_SIGNED)
    assert isinstance(await publish(county), Published)
    assert await publish(county, key=None) == Refused(PublicationRefusal.UNCHANGED)
    with pytest.raises(NotFoundError):
        await publish(county, scope=Scope(110101000000))
    with pytest.raises(NotFoundError):
        await count_again(county, reference=Reference(BOOK, 9))


@pytest.mark.parametrize("text", ["", "330424", "330424-0", "330424-01", "33042-1", "330424-1 "])
def test_a_malformed_name_is_no_publication(text: str) -> None:
    with pytest.raises(ValueError, match="publication"):
        parse_reference(text)
