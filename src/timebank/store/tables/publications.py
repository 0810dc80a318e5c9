"""Reports that were frozen, their files, and what people noted on a chart."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

publication = Table(
    "publication",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("number", Integer, nullable=False, comment="given once in the book, without gaps"),
    Column("region", BigInteger, nullable=False),
    Column("period", Text, nullable=False, comment="the days counted, such as `2024`"),
    Column("definition", Text, nullable=False, comment="the stable name of the definition"),
    Column("seq", BigInteger, nullable=False, comment="entries 1 to seq were counted"),
    Column("content", LargeBinary, nullable=False, comment="the canonical form itself"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the content, hexadecimal"),
    instant("published_at"),
    Column("published_by", Uuid, comment="null for the operator's command line"),
    PrimaryKeyConstraint("book_id", "number"),
    CheckConstraint("number > 0", name="number"),
    comment="Reports that were frozen at an entry. Append-only: a correction is a later number.",
)
Index(
    "ix_publication_book_id_region_period",
    publication.c.book_id,
    publication.c.region,
    publication.c.period,
)

publication_file = Table(
    "publication_file",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("number", Integer, nullable=False, comment="the publication in the book"),
    Column("format", Text, nullable=False, comment="`pdf` or `xlsx`"),
    Column("content", LargeBinary, nullable=False, comment="the file as it was first handed out"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the content, hexadecimal"),
    PrimaryKeyConstraint("book_id", "number", "format"),
    CheckConstraint("format in ('pdf', 'xlsx')", name="format"),
    comment="The files of publications, made once and kept. Append-only.",
)

publication_register = Table(
    "publication_register",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the register, hexadecimal"),
    Column(
        "content",
        LargeBinary,
        nullable=False,
        comment="each volunteer's division by number, packed; no names",
    ),
    PrimaryKeyConstraint("book_id", "digest"),
    comment="Registers that publications were counted over, so that they can be made again. "
    "Append-only.",
)

annotation = Table(
    "annotation",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("region", BigInteger, nullable=False),
    Column("on_day", Date, nullable=False, comment="the day of the chart that it speaks of"),
    Column("text", Text, nullable=False, comment="empty: it takes back the one that it replaces"),
    Column("replaces", Uuid, comment="the annotation that this one stands in the place of"),
    Column("written_by", Uuid, nullable=False, comment="the person"),
    instant("written_at"),
    PrimaryKeyConstraint("book_id", "id"),
    comment="What the office noted beside a day of a chart. Append-only: a change is another row.",
)
Index(
    "ix_annotation_book_id_region_on_day",
    annotation.c.book_id,
    annotation.c.region,
    annotation.c.on_day,
)
