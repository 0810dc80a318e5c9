"""Registered people, and where they live."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

volunteer = Table(
    "volunteer",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("person_id", Uuid, comment="null after erasure"),
    Column("reference", Text, comment="number in the system that the record was imported from"),
    Column("minutes_account", BigInteger, nullable=False),
    instant("enrolled_at"),
    instant("ended_at", is_required=False, comment="when the volunteer left this book"),
    instant(
        "registered_at",
        is_required=False,
        comment="when they first enrolled in another book; null: enrolled_at",
    ),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "reference"),
    UniqueConstraint("book_id", "person_id"),
    Index("ix_volunteer_person_id", "person_id"),
    comment="A registered person in the book of the county where they live.",
)

residence = Table(
    "residence",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("from_on", Date, nullable=False, comment="first local day"),
    Column("region", BigInteger, nullable=False, comment="village, or the lowest division known"),
    instant("recorded_at", is_required=False, comment="null: with the enrolment"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "from_on"),
    comment="Where a volunteer lives, from which day.",
)

residence_former = Table(
    "residence_former",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False, comment="of the change, within the book"),
    Column("from_on", Date, nullable=False),
    Column("region", BigInteger, nullable=False),
    instant("recorded_at", is_required=False, comment="null: with the enrolment"),
    instant("replaced_at", comment="when another home of the same day took its place"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "number"),
    comment="Homes that were told otherwise later, for reports of an earlier state. Append-only.",
)

absence = Table(
    "absence",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False, comment="of the change, within the book"),
    instant("ended_at", comment="when the volunteer left this book"),
    instant("returned_at"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "number"),
    comment="Times away of who came back, for reports of an earlier state. Append-only.",
)
