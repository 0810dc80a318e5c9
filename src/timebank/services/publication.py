"""Freezing a report: counted at one entry, covered by a signature, numbered, never changed."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.as_of import AsOfAsked
from timebank.domain.definition import Definition, Denominator
from timebank.domain.metric import Residents, rate_per_10k
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
)
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.domain.window import Window
from timebank.ledger import journal, log
from timebank.queries.changes import Changes, changes_since
from timebank.queries.numbers import Numbers, Row, read_numbers
from timebank.services import sealing
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.sealing import LogKey
from timebank.store import audit_events, numbering, publications
from timebank.store.definitions import list_definitions
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
    seq, counted_at = await _fix_state(db, book=book, now=now)
    if key is not None:
        await sealing.sign_head(db, key=key, book=book, now=now)

    async with db.read() as conn:
        rows = await _count(
            conn, scope=scope, window=window, definition=definition, seq=seq, counted_at=counted_at
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

    async with db.write() as conn:
        (number,) = await numbering.take_numbers(conn, book=book, noun="publication")
        reference = Reference(book, number)
        publication = Publication(
            reference=reference,
            corrects=None if before is None else before.reference.number,
            region=scope.region,
            window=window,
            definition=definition.said(),
            seq=seq,
            counted_at=counted_at,
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

    Raises:
        NotFoundError: There is no such publication.
    """
    async with db.read(is_anew=True) as conn:
        kept = await publications.find_publication(conn, reference=reference)
        if kept is None:
            raise NotFoundError
        publication = kept.publication
        rows = await _count(
            conn,
            scope=kept.scope,
            window=publication.window,
            definition=_definition_of(publication),
            seq=publication.seq,
            counted_at=publication.counted_at,
        )
    # A population that became known later is another report's; this one keeps its own.
    residents = {row.region: row.residents for row in publication.rows}
    is_of_residents = publication.definition["denominator"] == Denominator.RESIDENTS
    counted = replace(
        publication,
        rows=tuple(
            _of(row, residents.get(row.region), is_of_residents=is_of_residents) for row in rows
        ),
    )
    return CountedAgain(publication, kept.content, canonical(counted))


async def find_since(db: Database, *, kept: KeptPublication) -> Since:
    """Return what was learned after a publication.

    Raises:
        NotFoundError: Its book is gone.
    """
    publication, scope = kept.publication, kept.scope
    window = publication.window
    async with db.read() as conn:
        report = await _numbers(
            conn, scope=scope, window=window, definition=_definition_of(publication)
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


def _of(row: PublishedRow, residents: Residents | None, *, is_of_residents: bool) -> PublishedRow:
    """Return a row with another population."""
    whole = None if residents is None else residents.count
    rate = rate_per_10k(row.active, whole) if is_of_residents else row.rate
    return replace(row, residents=residents, rate=rate)


def _definition_of(publication: Publication) -> Definition:
    for each in list_definitions():
        if each.said() == publication.definition:
            return each
    raise AssertionError(f"{publication.reference} was made by a definition that is gone")


async def _fix_state(db: Database, *, book: int, now: datetime) -> tuple[int, datetime]:
    """Return the newest entry and an instant at which it is the newest, whatever is written later.

    The book's lock is taken for a moment: no batch is under way then, and each later one is
    recorded after the newest of those before it.
    """
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
    if head is None:
        raise NotFoundError
    return head.seq, now if head.recorded_at is None else max(now, head.recorded_at)


async def _count(
    conn: AsyncConnection,
    *,
    scope: Scope,
    window: Window,
    definition: Definition,
    seq: int,
    counted_at: datetime,
) -> tuple[PublishedRow, ...]:
    report = await _numbers(
        conn, scope=scope, window=window, definition=definition, as_of=counted_at
    )
    if report.as_of_books[0].seq != seq:
        # Another clock wrote into the past; the entries are what counts.
        report = await _numbers(conn, scope=scope, window=window, definition=definition, as_of=seq)
    return _rows(report)


async def _numbers(
    conn: AsyncConnection,
    *,
    scope: Scope,
    window: Window,
    definition: Definition,
    as_of: AsOfAsked | None = None,
) -> Numbers:
    found = await read_numbers(
        conn, scope=scope, metrics=_METRICS, definition=definition, window=window, as_of=as_of
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
