"""What reviewers decided about signals, and the samples that they drew."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

signal_review = Table(
    "signal_review",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("kind", Text, nullable=False, comment="code of the signal"),
    Column("subject", Text, nullable=False, comment="what it is about, by kind and number"),
    instant("reviewed_at"),
    Column("reviewed_by", Uuid, nullable=False),
    Column("outcome", Text, nullable=False, comment="dismissed, checking, corrected"),
    Column("reason", Text, nullable=False),
    Column("people", Integer, nullable=False, comment="counted when it was reviewed"),
    Column("times", Integer, nullable=False, comment="counted when it was reviewed"),
    Column("minutes", BigInteger, nullable=False, comment="counted when it was reviewed"),
    PrimaryKeyConstraint("book_id", "kind", "subject", "reviewed_at"),
    comment="What was decided about each signal; the newest holds. Insert and select only.",
)

sample = Table(
    "sample",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("region", BigInteger, nullable=False, comment="division whose services were drawn from"),
    Column("first_on", Date, nullable=False, comment="first local day of the period"),
    Column("after_last_on", Date, nullable=False, comment="the day after the period"),
    Column("after_seq", BigInteger, nullable=False, comment="last entry before the period"),
    Column("until_seq", BigInteger, nullable=False, comment="last entry of the period"),
    Column("seed", Text, nullable=False, comment="root of the checkpoint, hexadecimal"),
    Column("seed_size", BigInteger, nullable=False, comment="entries under the checkpoint"),
    Column("size", Integer, nullable=False, comment="entries that were asked for"),
    Column("flagged", Text, nullable=False, comment="organizations with an open signal, JSON"),
    Column("counts", Text, nullable=False, comment="entries of each stratum, JSON"),
    Column("drawn_by", Uuid, nullable=False),
    instant("drawn_at"),
    Column("published_by", Uuid),
    instant("published_at", is_required=False, comment="null while it is being checked"),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "region", "first_on", "after_last_on"),
    comment="Entries drawn for a check; of a period and division once.",
)

sample_item = Table(
    "sample_item",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("sample_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the entry"),
    Column("stratum", Text, nullable=False, comment="class of evidence; a plus: open signal"),
    Column("result", Text, comment="true, wrong, unclear; null before the check"),
    Column("note", Text),
    Column("checked_by", Uuid),
    instant("checked_at", is_required=False),
    PrimaryKeyConstraint("book_id", "sample_id", "seq"),
    ForeignKeyConstraint(["book_id", "sample_id"], ["sample.book_id", "sample.id"]),
    CheckConstraint("(result is null) = (checked_at is null)", name="check"),
    comment="The drawn entries and what their check found.",
)
