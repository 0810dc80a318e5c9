"""Standing reports, and which of their periods went out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.period import local_day
from timebank.domain.scope import Scope
from timebank.domain.standing_report import StandingReport, Way
from timebank.domain.window import Window, WindowKind, parse_window
from timebank.store import tables
from timebank.store.seal import Seal


@dataclass(frozen=True, slots=True)
class DueReport:
    """A period of a report that is to go out now.

    Attributes:
        key: What signs it.
        tries: How often it was tried, this time included.
    """

    report: StandingReport
    window: Window
    key: bytes
    tries: int

    @property
    def id(self) -> str:
        """What names this delivery for ever: the same one is the same report."""
        return f"{self.report.id}/{self.window}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """How the newest period of a report went out, or did not."""

    window: str
    sent_at: datetime | None
    failed_at: datetime | None
    note: str


async def insert_report(
    conn: AsyncConnection, *, seal: Seal, report: StandingReport, key: str
) -> None:
    """Record a report and what signs it."""
    await conn.execute(
        insert(tables.standing_report).values(
            id=report.id,
            label=report.label,
            region=report.scope.region,
            metrics=list(report.metrics),
            definition=report.definition,
            cadence=report.cadence,
            form=report.form,
            way=report.way,
            address_sealed=seal.seal(report.address),
            key_sealed=seal.seal(key),
            created_at=report.created_at,
        )
    )


async def set_report_ended(conn: AsyncConnection, *, report: UUID, now: datetime) -> bool:
    """End a report; False where there is none that goes out."""
    c = tables.standing_report.c
    ended = await conn.execute(
        update(tables.standing_report)
        .where(c.id == report, c.ended_at.is_(None))
        .values(ended_at=now)
    )
    return ended.rowcount > 0


async def list_reports(conn: AsyncConnection, *, seal: Seal) -> list[StandingReport]:
    """Return the reports that go out, in the order in which they were set up."""
    c = tables.standing_report.c
    rows = await conn.execute(
        select(tables.standing_report).where(c.ended_at.is_(None)).order_by(c.created_at, c.id)
    )
    return [_report(row, seal) for row in rows]


async def find_delivered(conn: AsyncConnection, *, report: UUID) -> Delivered | None:
    """Return how the newest period of a report went out; None before the first."""
    c = tables.report_delivery.c
    row = (
        await conn.execute(
            select(c.window, c.sent_at, c.failed_at, c.note)
            .where(c.report == report)
            .order_by(c.next_at.desc())
            .limit(1)
        )
    ).first()
    return None if row is None else Delivered(*row)


async def claim_due(
    conn: AsyncConnection,
    *,
    seal: Seal,
    zone: ZoneInfo,
    until: datetime,
    now: datetime,
) -> list[DueReport]:
    """Return what is to go out now; nobody else is given it before `until`.

    A report set up within a period sends that period first, not the one before; `zone` decides
    which day it is, and was.

    Cost: a statement for each report, and three.
    """
    for report in await list_reports(conn, seal=seal):
        window = report.window_due(local_day(now, zone=zone))
        if window.last_on >= local_day(report.created_at, zone=zone):
            await conn.execute(
                upsert(tables.report_delivery)
                .values(report=report.id, window=str(window), tries=0, next_at=now, note="")
                .on_conflict_do_nothing()
            )
    d, s = tables.report_delivery.c, tables.standing_report.c
    rows = list(
        await conn.execute(
            select(tables.standing_report, d.window, d.tries)
            .join(tables.report_delivery, d.report == s.id)
            .where(
                s.ended_at.is_(None), d.sent_at.is_(None), d.failed_at.is_(None), d.next_at <= now
            )
            .order_by(d.next_at, s.id)
            .with_for_update(of=tables.report_delivery, skip_locked=True)
        )
    )
    for row in rows:
        await conn.execute(
            update(tables.report_delivery)
            .where(d.report == row.id, d.window == row.window)
            .values(tries=row.tries + 1, next_at=until)
        )
    return [
        DueReport(
            _report(row, seal),
            parse_window(row.window),
            seal.open(row.key_sealed).encode(),
            row.tries + 1,
        )
        for row in rows
    ]


async def set_sent(conn: AsyncConnection, *, due: DueReport, now: datetime) -> None:
    """Record that a period went out."""
    await _set(conn, due, sent_at=now, note="")


async def set_not_sent(
    conn: AsyncConnection, *, due: DueReport, note: str, next_at: datetime | None, now: datetime
) -> None:
    """Record that a period did not go out, and when it is tried again; None: it is given up."""
    if next_at is None:
        await _set(conn, due, failed_at=now, note=note)
    else:
        await _set(conn, due, next_at=next_at, note=note)


async def _set(conn: AsyncConnection, due: DueReport, **values: object) -> None:
    d = tables.report_delivery.c
    await conn.execute(
        update(tables.report_delivery)
        .where(d.report == due.report.id, d.window == str(due.window))
        .values(**values)
    )


def _report(row: Row[tuple[object, ...]], seal: Seal) -> StandingReport:
    return StandingReport(
        id=row.id,
        label=row.label,
        scope=Scope(row.region),
        metrics=tuple(row.metrics),
        definition=row.definition,
        cadence=WindowKind(row.cadence),
        form=row.form,
        way=Way(row.way),
        address=seal.open(row.address_sealed),
        created_at=row.created_at,
    )
