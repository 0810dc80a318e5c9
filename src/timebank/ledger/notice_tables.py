"""The tables of what a stranger should know beside the entries."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from timebank.db import metadata

notice = Table(
    "notice",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column(
        "number", BigInteger, nullable=False, comment="numbered from 1 within the book, no gaps"
    ),
    Column("kind", SmallInteger, nullable=False, comment="2 pack, 3 key, 4 erasure, 5 list"),
    Column("body", Text, nullable=False, comment="what is made known, JSON in canonical form"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("book_id", "number"),
    CheckConstraint("kind between 2 and 5", name="kind"),
    comment="Rules that came into force, keys that changed, secrets that were erased, lists that"
    " were fixed. Append-only.",
)

notice_checkpoint = Table(
    "notice_checkpoint",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("size", BigInteger, nullable=False, comment="notices 1 to size are under the root"),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False, comment="the signed note, as it was signed"),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("book_id", "size"),
    comment="Every head of the notices that was ever signed.",
)
