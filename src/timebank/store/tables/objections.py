"""Objections to records: what was asked, every step, and what people wrote."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

objection = Table(
    "objection",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the entry that it is about"),
    Column("reason", Text, nullable=False, comment="minutes, content, not_mine"),
    Column("minutes", Integer, comment="what the volunteer says is right; null: nothing said"),
    Column(
        "organization_book", Integer, comment="who answers first; null: the district of the book"
    ),
    Column("organization_id", BigInteger),
    PrimaryKeyConstraint("book_id", "id"),
    Index("ix_objection_book_id_volunteer_id", "book_id", "volunteer_id"),
    Index("ix_objection_organization", "organization_book", "organization_id"),
    comment="A volunteer says that a record is wrong. Insert and select only.",
)

objection_step = Table(
    "objection_step",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("objection_id", BigInteger, nullable=False),
    Column("step", SmallInteger, nullable=False, comment="numbered from 1 within the objection"),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="raised, corrected, taken_back, declined, appealed, upheld, dismissed",
    ),
    Column("person_id", Uuid, nullable=False),
    instant("at"),
    Column("evidence", Text, comment="what proves an answer, such as the number of a sheet"),
    Column("reversal", BigInteger, comment="the entry that it posted to take one back"),
    Column("replacement", BigInteger, comment="the entry that it posted instead"),
    PrimaryKeyConstraint("book_id", "objection_id", "step"),
    comment="What happened in an objection, who did it and when. Insert and select only.",
)

objection_text = Table(
    "objection_text",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("objection_id", BigInteger, nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False, comment="what they wrote, encrypted"),
    PrimaryKeyConstraint("book_id", "objection_id", "step"),
    comment="What people wrote in an objection: it can be erased, the steps stay.",
)
