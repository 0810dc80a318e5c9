"""What a volunteer is besides: in which year they were born, and which roles they have."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

profile = Table(
    "profile",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("from_on", Date, nullable=False, comment="first local day"),
    Column("birth_year", SmallInteger, comment="null where nobody said it"),
    Column("is_party_member", Boolean, nullable=False),
    Column("is_social_worker", Boolean, nullable=False),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "from_on"),
    CheckConstraint("birth_year between 1900 and 2100", name="birth_year"),
    comment="For counting by age and role, and for who may receive; deleted with the person.",
)

training = Table(
    "training",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("held_on", Date, nullable=False, comment="local day"),
    Column("title", Text, nullable=False),
    Column("provider", Text, nullable=False, comment="who trained"),
    Column("minutes", Integer, nullable=False),
    Column(
        "organization_book", Integer, comment="the organization that trained; null: a register's"
    ),
    Column("organization_id", BigInteger),
    Column("recorded_by", Uuid, comment="the organizer; null: a register's"),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "held_on", "title"),
    CheckConstraint("minutes between 1 and 1440", name="minutes"),
    comment="Training that a volunteer had: recorded apart from service, and never added to it.",
)
