"""Freezing a report: counted at one entry, covered by a signature, numbered, never changed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.definition import Definition, read_definition
from timebank.domain.period import local_day
from timebank.domain.publication import (
    Difference,
    Publication,
    PublicationRefusal,
    Published,
    PublishedRow,
    Reference,
    Refused,
    SignedHead,
    canonical,
    differences,
    digest_of,
)
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.ledger import balances, log
from timebank.queries.changes import Changes, changes_since
from timebank.queries.frozen import Ground, count_frozen, find_ground
from timebank.queries.numbers import Numbers, Row, read_numbers
from timebank.queries.people import read_register
from timebank.queries.snapshot import Division
from timebank.services import sealing
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.sealing import LogKey
from timebank.store import audit_events, numbering, publications
from timebank.store.publications import KeptPublication

_METRICS = (
    "registered",
    "active",
    "active_rate",
    "services",
    "minutes_scanned",
    "minutes_confirmed",
    "minutes_declared",
)


@dataclass(frozen=True, slots=True)
class CountedAgain:
    """A publication, and the bytes that the journal makes of the same state today.

    Attributes:
        content: As it was published.
        counted: As it is counted now, from entries 1 to the publication's, with its population.
    """

    publication: Publication
    content: bytes
    counted: bytes

    @property
    def is_same(self) -> bool:
        """Say whether the two are the same, bit for bit."""
        return self.content == self.counted


@dataclass(frozen=True, slots=True)
class Since:
    """What was learned after a publication.

    Attributes:
        seq: The entry as of which this was looked up.
        differences: Where the same report would say something else now.
        changes: The entries that made it so.
        successor: The newest publication of the same that came after it, if any.
    """

    seq: int
    differences: tuple[Difference, ...]
    changes: Changes
    successor: Reference | None


async def publish_report(
    db: Database,
    *,
    scope: Scope,
    window: Window,
    definition: Definition,
    key: LogKey | None,
    url: str,
    person: UUID | None,
    now: datetime,
) -> Published | Refused:
    """Freeze the report of some days as the book is now, give it a number, and return its bytes.

    It says that it is found below `url`, the product's own address without a slash at the end.

    With the log's key the book is signed first; without it the signature of whoever has the key
    must cover the newest entry.

    Raises:
        NotFoundError: There is no such division or no book for it.
    """
    if level_of(scope.region) in (Level.PROVINCE, Level.CITY):
        return Refused(PublicationRefusal.SEVERAL_BOOKS)
    if local_day(now, zone=ZoneInfo(ZONE)) <= window.last_on:
        return Refused(PublicationRefusal.WINDOW_OPEN)
    book = county_of(scope.region)
    async with db.read() as conn:
        seq = await balances.find_head_seq(conn, book=book)
    if seq is None:
        raise NotFoundError
    if key is not None:
        await sealing.sign_head(db, key=key, book=book, now=now)

    # What is signed is counted of the entries themselves, not of sums that were kept.
    async with db.read(is_anew=True) as conn:
        ground = await find_ground(conn, scope=scope, window=window, definition=definition)
        if ground is None:
            raise NotFoundError
        rows = await count_frozen(
            conn, scope=scope, window=window, definition=definition, seq=seq, ground=ground
        )
        head = await _signed_head(conn, book=book, seq=seq)
        newest = await publications.find_newest(
            conn, book=book, region=scope.region, period=str(window), definition=definition.id
        )
    before = None if newest is None else newest.publication
    if not rows[0].services:
        return Refused(PublicationRefusal.NOTHING_COUNTED)
    if before is not None and tuple(before.rows) == tuple(rows):
        return Refused(PublicationRefusal.UNCHANGED)
    if head is None:
        return Refused(PublicationRefusal.NOT_SIGNED)

    register = ground.register.packed()
    async with db.write() as conn:
        digest = await publications.keep_register(conn, book=book, content=register)
        (number,) = await numbering.take_numbers(conn, book=book, noun="publication")
        reference = Reference(book, number)
        publication = Publication(
            reference=reference,
            corrects=None if before is None else before.reference.number,
            region=scope.region,
            window=window,
            definition=definition.said(),
            seq=seq,
            counted_at=now,
            register=digest,
            published_at=now,
            url=f"{url}/publications/{reference}",
            head=head,
            rows=rows,
        )
        content = await publications.insert_publication(
            conn, publication=publication, person=person
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=person,
            act="publish_report",
            subjects=[f"publication/{book}/{number}"],
        )
    return Published(publication, content)


async def keep_file(
    db: Database, *, reference: Reference, file_format: str, content: bytes
) -> None:
    """Keep a file of a publication as it was first handed out; a kept one stays as it is."""
    async with db.write() as conn:
        await publications.keep_file(
            conn, reference=reference, file_format=file_format, content=content
        )


async def count_again(db: Database, *, reference: Reference) -> CountedAgain:
    """Count a publication once more from the entries that it was made of, all of them read anew.

    Entries 1 to its own, over the register, the divisions and the populations that it was counted
    over: nothing that was told, moved or renamed later takes part.

    Raises:
        NotFoundError: There is no such publication.
    """
    async with db.read(is_anew=True) as conn:
        kept = await publications.find_publication(conn, reference=reference)
        if kept is None:
            raise NotFoundError
        publication = kept.publication
        definition = read_definition(publication.definition)
        rows = await count_frozen(
            conn,
            scope=kept.scope,
            window=publication.window,
            definition=definition,
            seq=publication.seq,
            ground=await _ground_of(conn, kept),
        )
    counted = replace(publication, rows=rows)
    return CountedAgain(publication, kept.content, canonical(counted))


async def _ground_of(conn: AsyncConnection, kept: KeptPublication) -> Ground:
    """Return what a publication was counted over.

    Raises:
        AssertionError: Its register is not the one that it names.
    """
    publication = kept.publication
    definition = read_definition(publication.definition)
    if publication.register is None:
        # Of the first format: people and homes as they were known at its instant.
        found = await find_ground(
            conn,
            scope=kept.scope,
            window=publication.window,
            definition=definition,
            until=publication.counted_at + timedelta(microseconds=1),
        )
        if found is None:
            raise NotFoundError
        register = found.register
    else:
        content = await publications.find_register(
            conn, book=publication.reference.book, digest=publication.register
        )
        if content is None or digest_of(content) != publication.register:
            raise AssertionError(f"the register of {publication.reference} is not what it was")
        register = read_register(content)
    return Ground(
        register,
        [
            Division(row.region, row.name, row.level, row.parent, row.residents)
            for row in publication.rows
        ],
        {row.region: row.whole for row in publication.rows if row.whole is not None},
    )


async def find_since(db: Database, *, kept: KeptPublication) -> Since:
    """Return what was learned after a publication.

    Raises:
        NotFoundError: Its book is gone.
    """
    publication, scope = kept.publication, kept.scope
    window = publication.window
    async with db.read() as conn:
        report = await _numbers(
            conn, scope=scope, window=window, definition=read_definition(publication.definition)
        )
        changes = await changes_since(
            conn,
            scope=scope,
            seq=publication.seq,
            period=window.period(zone=ZoneInfo(ZONE)),
        )
        successor = await publications.find_successor(conn, publication=publication)
    return Since(
        report.as_of_books[0].seq,
        differences(publication.rows, _rows(report)),
        changes,
        successor,
    )


async def _numbers(
    conn: AsyncConnection,
    *,
    scope: Scope,
    window: Window,
    definition: Definition,
) -> Numbers:
    found = await read_numbers(
        conn, scope=scope, metrics=_METRICS, definition=definition, window=window
    )
    if found is None:
        raise NotFoundError
    return found


def _rows(found: Numbers) -> tuple[PublishedRow, ...]:
    def whole(row: Row, name: str) -> int:
        return found.value(row, name) or 0

    return tuple(
        PublishedRow(
            region=row.region,
            name=row.name,
            level=row.level,
            parent=row.parent,
            residents=row.residents,
            registered=whole(row, "registered"),
            active=whole(row, "active"),
            rate=found.value(row, "active_rate"),
            services=whole(row, "services"),
            minutes_scanned=whole(row, "minutes_scanned"),
            minutes_confirmed=whole(row, "minutes_confirmed"),
            minutes_declared=whole(row, "minutes_declared"),
            whole=None,
        )
        for row in found.rows
    )


async def _signed_head(conn: AsyncConnection, *, book: int, seq: int) -> SignedHead | None:
    """Return the newest signed head of a book, if it covers an entry."""
    newest = await log.find_newest_checkpoint(conn, book=book)
    if newest is None or newest.size < seq:
        return None
    origin, _, root = newest.note.split("\n")[:3]
    return SignedHead(origin, newest.size, root, newest.note)
