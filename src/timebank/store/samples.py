"""Samples of entries that an office checks."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.sample import CheckResult, Sample, SampleItem, Stratum
from timebank.store import tables

_c = tables.sample.c
_i = tables.sample_item.c


async def insert_sample(
    conn: AsyncConnection, *, sample: Sample, items: Iterable[SampleItem]
) -> None:
    """Add a sample with its entries."""
    await conn.execute(
        insert(tables.sample).values(
            book_id=sample.book,
            id=sample.number,
            region=sample.region,
            first_on=sample.first_on,
            after_last_on=sample.after_last_on,
            after_seq=sample.after,
            until_seq=sample.until_seq,
            seed=sample.seed,
            seed_size=sample.seed_size,
            size=sample.size,
            flagged=json.dumps(sample.flagged),
            counts=json.dumps(dict(sample.counts)),
            drawn_by=sample.drawn_by,
            drawn_at=sample.drawn_at,
        )
    )
    await conn.execute(
        insert(tables.sample_item),
        [
            {
                "book_id": sample.book,
                "sample_id": sample.number,
                "seq": each.seq,
                "stratum": each.stratum.code,
            }
            for each in items
        ],
    )


async def is_drawn(
    conn: AsyncConnection, *, book: int, region: int, first_on: date, after_last_on: date
) -> bool:
    """Return whether a sample of a division and period was drawn."""
    found = await conn.scalar(
        select(1).where(
            _c.book_id == book,
            _c.region == region,
            _c.first_on == first_on,
            _c.after_last_on == after_last_on,
        )
    )
    return found is not None


async def list_samples(conn: AsyncConnection, *, books: range, limit: int = 60) -> list[Sample]:
    """Return the samples of neighbouring books, newest first."""
    rows = await conn.execute(
        select(tables.sample)
        .where(_c.book_id.between(books.start, books.stop - 1))
        .order_by(_c.drawn_at.desc(), _c.book_id, _c.id.desc())
        .limit(limit)
    )
    return [_sample(row) for row in rows]


async def find_sample(conn: AsyncConnection, *, book: int, number: int) -> Sample | None:
    """Return a sample, or None."""
    row = (
        await conn.execute(select(tables.sample).where(_c.book_id == book, _c.id == number))
    ).first()
    return None if row is None else _sample(row)


async def find_locked_sample(conn: AsyncConnection, *, book: int, number: int) -> Sample | None:
    """Lock a sample and return it, or None."""
    row = (
        await conn.execute(
            select(tables.sample).where(_c.book_id == book, _c.id == number).with_for_update()
        )
    ).first()
    return None if row is None else _sample(row)


async def list_items(conn: AsyncConnection, *, book: int, number: int) -> list[SampleItem]:
    """Return the entries of a sample, by number."""
    rows = await conn.execute(
        select(_i.seq, _i.stratum, _i.result, _i.note, _i.checked_at)
        .where(_i.book_id == book, _i.sample_id == number)
        .order_by(_i.seq)
    )
    return [
        SampleItem(
            row.seq,
            Stratum.of_code(row.stratum),
            None if row.result is None else CheckResult(row.result),
            row.note,
            row.checked_at,
        )
        for row in rows
    ]


async def set_checked(
    conn: AsyncConnection,
    *,
    sample: Sample,
    seq: int,
    result: CheckResult,
    note: str,
    by: UUID,
    now: datetime,
) -> bool:
    """Note what a check found; False where the entry is not of the sample."""
    done = await conn.execute(
        update(tables.sample_item)
        .where(_i.book_id == sample.book, _i.sample_id == sample.number, _i.seq == seq)
        .values(result=result.value, note=note, checked_by=by, checked_at=now)
    )
    return done.rowcount > 0


async def set_published(conn: AsyncConnection, *, sample: Sample, by: UUID, now: datetime) -> None:
    """Record that a locked sample is published; nothing of it changes any more."""
    await conn.execute(
        update(tables.sample)
        .where(_c.book_id == sample.book, _c.id == sample.number)
        .values(published_by=by, published_at=now)
    )


def _sample(row: Row[Any]) -> Sample:
    return Sample(
        book=row.book_id,
        number=row.id,
        region=row.region,
        first_on=row.first_on,
        after_last_on=row.after_last_on,
        after=row.after_seq,
        until_seq=row.until_seq,
        seed=row.seed,
        seed_size=row.seed_size,
        size=row.size,
        flagged=tuple(json.loads(row.flagged)),
        counts=json.loads(row.counts),
        drawn_by=row.drawn_by,
        drawn_at=row.drawn_at,
        published_at=row.published_at,
    )
