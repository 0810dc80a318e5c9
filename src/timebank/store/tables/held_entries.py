"""Entries that wait for a second person."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

held_entry = Table(
    "held_entry",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="closing, paper"),
    Column("subject", Text, nullable=False, comment="what it is about, such as shift/17"),
    Column("organization_id", BigInteger, nullable=False),
    Column("shift_id", BigInteger, comment="null where it is about no single shift"),
    Column(
        "content",
        Text,
        nullable=False,
        comment="who would be credited: book, number, since, until, minutes each, JSON",
    ),
    Column("note", Text, nullable=False, comment="what else is needed to do it; may be empty"),
    Column("minutes", BigInteger, nullable=False, comment="all that would be credited"),
    Column("people", Integer, nullable=False, comment="how many would be credited"),
    Column("submitted_by", Uuid, nullable=False),
    instant("submitted_at"),
    Column("decided_by", Uuid),
    instant("decided_at", is_required=False, comment="null while it waits"),
    Column("is_approved", Boolean, comment="false: sent back, or replaced by a newer one"),
    Column("reason", Text, comment="why it was sent back"),
    PrimaryKeyConstraint("book_id", "id"),
    CheckConstraint("(decided_at is null) = (is_approved is null)", name="decision"),
    CheckConstraint("not is_approved or decided_by <> submitted_by", name="second_person"),
    Index("ix_held_entry_book_id_organization_id", "book_id", "organization_id"),
    Index(
        "uq_held_entry_waiting",
        "book_id",
        "kind",
        "subject",
        unique=True,
        postgresql_where=text("decided_at is null"),
    ),
    comment="Hours by one person's word above the county's limit, until a second person decides.",
)
