"""What is done, when and where."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

activity = Table(
    "activity",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("field", SmallInteger, nullable=False),
    Column("content", Text, nullable=False, comment="what volunteers do"),
    Column("address", Text, nullable=False, comment="where, in words"),
    Column("region", BigInteger, nullable=False, comment="division where it is done"),
    Column(
        "in_charge", Text, nullable=False, comment="person in charge, as the public may read it"
    ),
    Column("created_by", Uuid),
    instant("created_at"),
    instant("cancelled_at", is_required=False),
    Column(
        "is_listed",
        Boolean,
        nullable=False,
        comment="false for imported history: nobody can sign up",
    ),
    PrimaryKeyConstraint("book_id", "id"),
    ForeignKeyConstraint(
        ["book_id", "organization_id"], ["organization.book_id", "organization.id"]
    ),
    Column(
        "forgotten",
        Text,
        nullable=False,
        server_default="zero",
        comment="what becomes of who never scanned out: zero, end_of_shift, review",
    ),
    Column(
        "risks",
        SmallInteger,
        nullable=False,
        server_default="0",
        comment="1 dangerous, 2 foreign, 4 over a month, 8 large event, 16 outside the province,"
        " 32 rescue",
    ),
    Index("ix_activity_book_id_organization_id", "book_id", "organization_id"),
)

shift = Table(
    "shift",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("activity_id", BigInteger, nullable=False),
    instant("starts_at"),
    instant("ends_at"),
    Column("places", Integer, nullable=False, comment="how many volunteers can sign up"),
    instant("cancelled_at", is_required=False),
    instant(
        "closed_at", is_required=False, comment="when the organizer closed it; no scan after that"
    ),
    PrimaryKeyConstraint("book_id", "id"),
    ForeignKeyConstraint(["book_id", "activity_id"], ["activity.book_id", "activity.id"]),
    CheckConstraint("starts_at < ends_at", name="span"),
    CheckConstraint("places > 0", name="places"),
    Index("ix_shift_book_id_activity_id", "book_id", "activity_id"),
    Index("ix_shift_book_id_starts_at", "book_id", "starts_at"),
    Index(
        "ix_shift_unclosed",
        "ends_at",
        postgresql_where=text("closed_at is null and cancelled_at is null"),
    ),
)
