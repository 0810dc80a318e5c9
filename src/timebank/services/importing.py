"""A district's own history becomes ledger entries: each row once, however often it is imported."""

import asyncio
import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import IO
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import OrganizationId
from timebank.domain.cell import safe_text
from timebank.domain.organization import OrganizationKind
from timebank.domain.posting import PostingRefusal
from timebank.domain.region import Level, county_code
from timebank.domain.service_columns import ServiceColumns
from timebank.domain.service_row import (
    SENTENCES,
    CellRefused,
    Column,
    ImportRefusal,
    Places,
    ServiceRow,
    Work,
    content_key,
    place_names,
)
from timebank.domain.transfer import Unit
from timebank.domain.volunteer_number import parse_number
from timebank.ledger import accounts, balances, bulk, journal
from timebank.ledger.bulk import HISTORY_MAX, History
from timebank.ledger.entry_columns import Integers
from timebank.ledger.journal import BATCH_MAX, Head
from timebank.services import service_reading
from timebank.services.errors import NotFoundError
from timebank.services.garbage import rare_collection
from timebank.services.service_file import Header, Part
from timebank.services.service_reading import Batch, Reading
from timebank.store import activities, audit_events, history, numbering, organizations, regions
from timebank.store import volunteers as people
from timebank.store.activities import Activity
from timebank.store.history import ActivityKey
from timebank.store.organizations import Organization
from timebank.store.volunteers import Creditable

_CACHE_MAX = 500_000
"""How many volunteers, or activities, are remembered; then the memory starts again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ReportProgress = Callable[[int, int], None]
"""Told how much is done, of how much."""


@dataclass(slots=True)
class ImportResult:
    """What an import did; a dry run tells what it would have done.

    Attributes:
        rows: Rows of the file that are not empty, without the header.
        rows_posted: Rows that became entries.
        rows_known: Rows that were entries before.
        rows_refused: Rows that were left out; each is in the file of errors.
        people: Volunteers to whom something was credited.
        minutes: Sum of what was credited.
        errors_file: Where the refused rows are listed; None where there are none.
        columns_ignored: Headers that name no column.
    """

    file: str
    is_dry_run: bool
    rows: int = 0
    rows_posted: int = 0
    rows_known: int = 0
    rows_refused: int = 0
    people: int = 0
    minutes: int = 0
    organizations_created: int = 0
    activities_created: int = 0
    errors_file: str | None = None
    columns_ignored: tuple[str, ...] = ()


async def import_services(
    db: Database,
    *,
    book: int,
    path: Path,
    now: datetime,
    is_dry_run: bool = False,
    is_evidence_trusted: bool = False,
    progress: ReportProgress | None = None,
) -> ImportResult:
    """Import a file of services into a county's book.

    Rows that cannot be taken are listed in `<file>.errors.csv` beside the file, with line, column
    and reason; the others land once, however often the file is imported. A row is named by its
    record number, or by its content where it has none.

    Raises:
        NotFoundError: The county's book is not open.
        ImportFileError: The file as a whole cannot be read.

    Cost: memory does not grow with the file, but for about 70 bytes a row that has no record
    number; one commit for each 262,144 rows at most.
    """
    setting = await find_setting(db, book=book)
    errors = path.with_name(path.name + ".errors.csv")
    errors.unlink(missing_ok=True)
    result = ImportResult(path.name, is_dry_run)
    reading = _reading(setting, book=book, now=now, trusted=is_evidence_trusted)
    with service_reading.opened(path, reading) as (header, batches), _ErrorFile(errors) as listed:
        result.columns_ignored = header.ignored
        await _import_batches(
            db,
            reading=reading,
            batches=batches,
            result=result,
            on_refused=listed.write,
            progress=progress,
        )
    if result.rows_refused:
        result.errors_file = str(errors)
    return result


async def import_rows(
    db: Database,
    *,
    book: int,
    header: Header,
    parts: Iterator[Part],
    setting: "Setting",
    now: datetime,
    is_evidence_trusted: bool,
    result: ImportResult,
    on_refused: Callable[[Sequence[CellRefused]], None],
    progress: ReportProgress | None,
) -> None:
    """Import rows that were taken from a file, the header apart; bring `result` up to date."""
    reading = _reading(setting, book=book, now=now, trusted=is_evidence_trusted)
    await _import_batches(
        db,
        reading=reading,
        batches=reading.batches(header, parts),
        result=result,
        on_refused=on_refused,
        progress=progress,
    )


def _reading(setting: "Setting", *, book: int, now: datetime, trusted: bool) -> Reading:
    return Reading(
        book=book,
        zone=setting.zone,
        places=setting.places,
        now=now,
        lines_max=HISTORY_MAX,
        is_evidence_trusted=trusted,
    )


async def _import_batches(
    db: Database,
    *,
    reading: Reading,
    batches: Iterator[Batch],
    result: ImportResult,
    on_refused: Callable[[Sequence[CellRefused]], None],
    progress: ReportProgress | None,
) -> None:
    importer = _Importer(
        db,
        book=reading.book,
        now=reading.now,
        result=result,
        trusted=reading.is_evidence_trusted,
    )
    with rare_collection():
        coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
        while (batch := await coming) is not None:
            # The next rows are read while the database writes these.
            coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            try:
                on_refused(await importer.take(batch))
            except BaseException:
                await asyncio.wait([coming])
                raise
            if progress is not None:
                progress(batch.progress.done, batch.progress.whole)


@dataclass(frozen=True, slots=True)
class Setting:
    """What rows are read against."""

    zone: ZoneInfo
    places: Places


async def find_setting(db: Database, *, book: int) -> Setting:
    """Return the zone of a book and the places that its files may name.

    Raises:
        NotFoundError: The county's book is not open.
    """
    async with db.read() as conn:
        zone = await balances.find_zone(conn, book=book)
        if zone is None:
            raise NotFoundError
        codes = await regions.list_codes(conn)
        county = await regions.list_subtree(conn, code=county_code(book))
    by_name: dict[str, set[int]] = {}
    for each in county:
        # A county's own name says nothing of where in it.
        if each.level in (Level.TOWN, Level.VILLAGE):
            for name in place_names(each.name):
                by_name.setdefault(name, set()).add(each.code)
    named = {name: frozenset(found) for name, found in by_name.items()}
    return Setting(ZoneInfo(zone), Places(codes, named))


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Ready:
    """Rows whose volunteers the book knows, with the keys of their deeds."""

    columns: ServiceColumns
    volunteers: list[Creditable]
    keys: list[bytes]


class _Importer:
    """Posts batches of rows into one book, remembering what it has looked up.

    Args:
        result: Brought up to date with every batch.
        trusted: Written to the log of privileged acts with the first batch that posts.
    """

    def __init__(
        self, db: Database, *, book: int, now: datetime, result: ImportResult, trusted: bool
    ) -> None:
        self._db = db
        self._book = book
        self._now = now
        self._result = result
        self._is_trust_noted = not trusted
        self._volunteers: dict[str, Creditable] = {}
        self._activities: dict[Work, int] = {}
        self._organizations: dict[str, int] = {}
        self._people: set[int] = set()
        self._contents: set[int] = set()
        self._repeated: Counter[int] = Counter()
        # A dry run numbers what it would create downwards from -1.
        self._imagined = 0

    async def take(self, batch: Batch) -> list[CellRefused]:
        """Post a batch, or count it in a dry run; return what was refused, in order of lines."""
        refused = list(batch.refused)
        if self._result.is_dry_run:
            async with self._db.read() as conn:
                ready = await self._resolve(conn, batch, refused)
                await self._resolve_works(conn, ready, head=None)
                await self._imagine(conn, ready)
        else:
            await self._post(batch, refused)
        self._result.rows += batch.lines
        self._result.rows_refused += len({each.line for each in refused})
        self._result.people = len(self._people)
        return sorted(refused, key=lambda each: each.line)

    async def _imagine(self, conn: AsyncConnection, ready: _Ready) -> None:
        """Count what would be posted."""
        known: set[bytes] = set()
        for first in range(0, len(ready.keys), BATCH_MAX):
            part = [UUID(bytes=each) for each in ready.keys[first : first + BATCH_MAX]]
            found = await balances.list_known_keys(conn, book=self._book, keys=part)
            known.update(each.bytes for each in found)
        rows = zip(ready.keys, ready.volunteers, ready.columns.minutes, strict=True)
        for key, volunteer, minutes in rows:
            if key in known:
                self._result.rows_known += 1
                continue
            known.add(key)
            self._result.rows_posted += 1
            self._result.minutes += minutes
            self._people.add(volunteer.id)

    async def _post(self, batch: Batch, refused: list[CellRefused]) -> None:
        async with self._db.write() as conn:
            head = await journal.find_locked_head(conn, book=self._book)
            if head is None:
                raise NotFoundError
            issuing = await accounts.issuing_account(
                conn, head=head, unit=Unit.MINUTES, now=self._now
            )
            ready = await self._resolve(conn, batch, refused)
            created = await self._resolve_works(conn, ready, head=head)
            history = self._history(ready, issuing)
            outcome = await bulk.append_history(conn, head=head, history=history, now=self._now)
            is_noted = not self._is_trust_noted and len(history) > 0
            if is_noted:
                await audit_events.insert_audit_events(
                    conn,
                    at=self._now,
                    person=None,
                    act="trust_evidence",
                    subjects=[f"book/{self._book}/file/{self._result.file}"],
                )
        # Counted and remembered only after the commit.
        self._is_trust_noted |= is_noted
        self._result.organizations_created += created[0]
        self._result.activities_created += created[1]
        self._result.rows_posted += int(outcome.is_new.sum())
        self._result.rows_known += len(history) - int(outcome.is_new.sum()) - len(outcome.refused)
        self._result.minutes += int(history.minutes[outcome.is_new].sum())
        self._people.update(np.unique(history.volunteers[outcome.is_new]).tolist())
        for place, reason in outcome.refused.items():
            if reason is not PostingRefusal.KEY_REUSED:
                raise AssertionError(f"a checked row was refused: {reason}")
            row = ready.columns.row(place)
            column = Column.RECORD if row.record else None
            refused.append(CellRefused(row.line, column, ImportRefusal.RECORD_REUSED, row.record))

    def _history(self, ready: _Ready, issuing: int) -> History:
        columns = ready.columns
        instants = {each: _microseconds(each) for each in set(columns.starts_at)}
        works = set(columns.works)
        # Plain numbers: making an array asks of each of anything else what it is.
        grades = {each: (int(each[0]), int(each[1])) for each in set(columns.evidence)}
        evidence = np.array([grades[each] for each in columns.evidence], np.int64).reshape(-1, 2)
        activities = {each: self._activities[each] for each in works}
        fields = {each: int(each.field) for each in works}
        places = {each: each.place for each in works}
        count = len(columns.lines)

        def integers(values: Iterable[int]) -> Integers:
            return np.fromiter(values, np.int64, count)

        return History(
            keys=np.frombuffer(b"".join(ready.keys), "V16"),
            issuing=issuing,
            accounts=integers(map(attrgetter("minutes_account"), ready.volunteers)),
            minutes=integers(columns.minutes),
            effective_at=integers(map(instants.__getitem__, columns.starts_at)),
            volunteers=integers(map(attrgetter("id"), ready.volunteers)),
            assurance=evidence[:, 0],
            measured=evidence[:, 1],
            activity_book=self._book,
            activities=integers(map(activities.__getitem__, columns.works)),
            fields=integers(map(fields.__getitem__, columns.works)),
            places=integers(map(places.__getitem__, columns.works)),
        )

    async def _resolve(
        self, conn: AsyncConnection, batch: Batch, refused: list[CellRefused]
    ) -> _Ready:
        """Return the rows whose volunteer the book knows, with the keys of their deeds."""
        columns, keys, known = batch.columns, batch.keys, self._volunteers
        called = set(columns.volunteers)
        missing = called - known.keys()
        if missing:
            if len(known) + len(missing) > _CACHE_MAX:
                known.clear()
                missing = called
            known.update(await self._find_volunteers(conn, missing))
        volunteers = list(map(known.get, columns.volunteers))
        if not all(map(known.get, called)) or any(
            known[each].ended_at is not None for each in called
        ):
            kept = []
            for place, volunteer in enumerate(volunteers):
                if volunteer is None:
                    reason = ImportRefusal.VOLUNTEER_UNKNOWN
                elif (
                    volunteer.ended_at is not None
                    and columns.starts_at[place] >= volunteer.ended_at
                ):
                    reason = ImportRefusal.VOLUNTEER_LEFT
                else:
                    kept.append(place)
                    continue
                refused.append(
                    CellRefused(
                        columns.lines[place], Column.VOLUNTEER, reason, columns.volunteers[place]
                    )
                )
            columns = columns.only(kept)
            keys = [keys[place] for place in kept]
            volunteers = [volunteers[place] for place in kept]
        found = [each for each in volunteers if each is not None]
        if not all(keys):
            keys = [
                key or self._content_key(columns.row(place), found[place].id)
                for place, key in enumerate(keys)
            ]
        return _Ready(columns, found, keys)

    async def _find_volunteers(
        self, conn: AsyncConnection, texts: Iterable[str]
    ) -> dict[str, Creditable]:
        """Return volunteers by what a file calls them: their reference, or their public number."""
        asked = list(texts)
        numbers = {
            text: number[1]
            for text in asked
            if (number := parse_number(text)) is not None and number[0] == self._book
        }
        found = await people.list_creditable(
            conn, book=self._book, numbers=list(numbers.values()), references=asked
        )
        by_number = {each.id: each for each in found}
        by_reference = {each.reference: each for each in found if each.reference is not None}
        answers = {}
        for text in asked:
            volunteer = by_reference.get(text) or by_number.get(numbers.get(text, 0))
            if volunteer is not None:
                answers[text] = volunteer
        return answers

    def _content_key(self, row: ServiceRow, volunteer: int) -> bytes:
        key = content_key(self._book, volunteer, row, occurrence=1)
        short = key.int & 0xFFFF_FFFF_FFFF_FFFF
        if short not in self._contents:
            self._contents.add(short)
            return key.bytes
        self._repeated[short] += 1
        repeated = content_key(self._book, volunteer, row, occurrence=1 + self._repeated[short])
        return repeated.bytes

    async def _resolve_works(
        self, conn: AsyncConnection, ready: _Ready, *, head: Head | None
    ) -> tuple[int, int]:
        """Know the activity of every row; return how many organizations and activities were made.

        Without a head nothing is made, only counted.
        """
        works = dict.fromkeys(ready.columns.works)
        missing = [each for each in works if each not in self._activities]
        if not missing:
            return 0, 0
        if len(self._activities) + len(missing) > _CACHE_MAX:
            self._activities.clear()
            self._organizations.clear()
            missing = list(works)
        new_organizations = await self._resolve_organizations(conn, missing, head=head)
        keys: dict[ActivityKey, Work] = {
            (self._organizations[work.organization], work.title, work.field, work.place): work
            for work in missing
        }
        found = await history.list_activities(conn, book=self._book, keys=list(keys))
        new = [key for key in keys if key not in found]
        if head is None:
            for key in new:
                self._imagined -= 1
                found[key] = self._imagined
            self._result.organizations_created += new_organizations
            self._result.activities_created += len(new)
        elif new:
            numbers = await numbering.take_numbers(
                conn, book=self._book, noun="activity", count=len(new)
            )
            found.update(zip(new, numbers, strict=True))
            await activities.insert_activities(
                conn,
                activities=[
                    self._activity(number, key) for key, number in zip(new, numbers, strict=True)
                ],
            )
        for key, work in keys.items():
            self._activities[work] = found[key]
        return new_organizations, len(new)

    async def _resolve_organizations(
        self, conn: AsyncConnection, works: Iterable[Work], *, head: Head | None
    ) -> int:
        names = list(
            {
                work.organization: None
                for work in works
                if work.organization not in self._organizations
            }
        )
        if not names:
            return 0
        found = await organizations.list_by_name(conn, book=self._book, names=names)
        for name, organization in found.items():
            self._organizations[name] = organization.id
        new = [name for name in names if name not in found]
        if head is None:
            for name in new:
                self._imagined -= 1
                self._organizations[name] = self._imagined
        elif new:
            numbers = await numbering.take_numbers(
                conn, book=self._book, noun="organization", count=len(new)
            )
            await organizations.insert_organizations(
                conn,
                organizations=[
                    Organization(
                        OrganizationId(self._book, number),
                        name,
                        OrganizationKind.TEAM,
                        county_code(self._book),
                        self._now,
                    )
                    for name, number in zip(new, numbers, strict=True)
                ],
            )
            self._organizations.update(zip(new, numbers, strict=True))
        return len(new)

    def _activity(self, number: int, key: ActivityKey) -> Activity:
        organization, title, field_, place = key
        return Activity(
            organization=OrganizationId(self._book, organization),
            id=number,
            title=title,
            field=field_,
            content="",
            address="",
            region=place,
            in_charge="",
            created_by=None,
            created_at=self._now,
            is_listed=False,
        )


class _ErrorFile:
    """The list of refused rows, made with the first one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> "_ErrorFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, refused: Sequence[CellRefused]) -> None:
        """Add rows; a row with several bad cells has a line for each."""
        if not refused:
            return
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow(("line", "column", "code", "原因", "reason", "text"))
        csv.writer(self._file).writerows(
            (
                each.line,
                "" if each.column is None else each.column.value,
                each.reason.value,
                *SENTENCES[each.reason],
                safe_text(each.text),
            )
            for each in refused
        )
