"""Reports that were frozen, and their files: written once, read for ever."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.publication import (
    Publication,
    Reference,
    canonical,
    digest_of,
    read_publication,
)
from timebank.domain.scope import Scope
from timebank.store import tables

LIST_MAX = 200
"""How many publications a list shows: a county makes a few each year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationLine:
    """A publication in a list.

    Attributes:
        period: The days counted, such as `2024`.
        definition: The stable name of the definition.
    """

    reference: Reference
    region: int
    period: str
    definition: str
    seq: int
    digest: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class KeptPublication:
    """A publication as it is kept.

    Attributes:
        content: Its bytes.
        scope: The divisions that it counts.
    """

    publication: Publication
    content: bytes
    scope: Scope


def _kept(content: bytes) -> KeptPublication:
    publication = read_publication(content)
    return KeptPublication(publication, content, Scope(publication.region))


async def insert_publication(
    conn: AsyncConnection, *, publication: Publication, person: UUID | None
) -> bytes:
    """Keep a publication and return its bytes."""
    content = canonical(publication)
    await conn.execute(
        insert(tables.publication).values(
            book_id=publication.reference.book,
            number=publication.reference.number,
            region=publication.region,
            period=str(publication.window),
            definition=publication.definition["id"],
            seq=publication.seq,
            content=content,
            digest=digest_of(content),
            published_at=publication.published_at,
            published_by=person,
        )
    )
    return content


async def find_publication(
    conn: AsyncConnection, *, reference: Reference
) -> KeptPublication | None:
    """Return a publication, or None where there is none of that name."""
    p = tables.publication.c
    content: bytes | None = await conn.scalar(
        select(p.content).where(p.book_id == reference.book, p.number == reference.number)
    )
    return None if content is None else _kept(content)


async def find_newest(
    conn: AsyncConnection, *, book: int, region: int, period: str, definition: str
) -> KeptPublication | None:
    """Return the newest publication of the same region, period and definition, or None."""
    p = tables.publication.c
    content: bytes | None = await conn.scalar(
        select(p.content)
        .where(
            p.book_id == book,
            p.region == region,
            p.period == period,
            p.definition == definition,
        )
        .order_by(p.number.desc())
        .limit(1)
    )
    return None if content is None else _kept(content)


async def find_successor(conn: AsyncConnection, *, publication: Publication) -> Reference | None:
    """Return the newest publication of the same that came after one, or None."""
    p = tables.publication.c
    number: int | None = await conn.scalar(
        select(func.max(p.number)).where(
            p.book_id == publication.reference.book,
            p.region == publication.region,
            p.period == str(publication.window),
            p.definition == publication.definition["id"],
            p.number > publication.reference.number,
        )
    )
    return None if number is None else Reference(publication.reference.book, number)


async def list_publications(
    conn: AsyncConnection, *, codes: range, books: range
) -> list[PublicationLine]:
    """Return the publications of regions in a range, the newest first, at most `LIST_MAX`."""
    p = tables.publication.c
    rows = await conn.execute(
        select(
            p.book_id,
            p.number,
            p.region,
            p.period,
            p.definition,
            p.seq,
            p.digest,
            p.published_at,
        )
        .where(
            p.book_id.between(books.start, books.stop - 1),
            p.region.between(codes.start, codes.stop - 1),
        )
        .order_by(p.published_at.desc(), p.book_id, p.number.desc())
        .limit(LIST_MAX)
    )
    return [
        PublicationLine(
            reference=Reference(book, number),
            region=region,
            period=period,
            definition=definition,
            seq=seq,
            digest=digest,
            published_at=published_at,
        )
        for book, number, region, period, definition, seq, digest, published_at in rows
    ]


async def keep_register(conn: AsyncConnection, *, book: int, content: bytes) -> str:
    """Keep a register under its digest and return that; one that is kept already is kept once."""
    digest = digest_of(content)
    await conn.execute(
        insert(tables.publication_register)
        .values(book_id=book, digest=digest, content=zlib.compress(content))
        .on_conflict_do_nothing()
    )
    return digest


async def find_register(conn: AsyncConnection, *, book: int, digest: str) -> bytes | None:
    """Return a kept register, or None."""
    r = tables.publication_register.c
    content: bytes | None = await conn.scalar(
        select(r.content).where(r.book_id == book, r.digest == digest)
    )
    return None if content is None else zlib.decompress(content)


async def keep_file(
    conn: AsyncConnection, *, reference: Reference, file_format: str, content: bytes
) -> None:
    """Keep a file of a publication; one that is kept already stays as it is."""
    await conn.execute(
        insert(tables.publication_file)
        .values(
            book_id=reference.book,
            number=reference.number,
            format=file_format,
            content=content,
            digest=digest_of(content),
        )
        .on_conflict_do_nothing()
    )


async def find_file(
    conn: AsyncConnection, *, reference: Reference, file_format: str
) -> bytes | None:
    """Return a kept file of a publication, or None where it was not made yet."""
    f = tables.publication_file.c
    content: bytes | None = await conn.scalar(
        select(f.content).where(
            f.book_id == reference.book,
            f.number == reference.number,
            f.format == file_format,
        )
    )
    return content
