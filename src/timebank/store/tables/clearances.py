"""What was shown before somebody may serve: consents, agreements and policies."""

from sqlalchemy import (
    BigInteger,
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

guardian_consent = Table(
    "guardian_consent",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    instant("recorded_at"),
    Column(
        "guardian_sealed", LargeBinary, nullable=False, comment="the guardian's name, encrypted"
    ),
    Column("phone_sealed", LargeBinary, nullable=False, comment="and phone number, encrypted"),
    Column("given_how", Text, nullable=False, comment="signed_form, in_person, by_phone"),
    Column("recorded_by", Uuid, nullable=False, comment="who saw or heard it"),
    instant("ended_at", is_required=False, comment="when it was withdrawn"),
    Column("ended_by", Uuid),
    PrimaryKeyConstraint("book_id", "volunteer_id", "recorded_at"),
    comment="That the guardian of a minor agrees to their service.",
)

agreement = Table(
    "agreement",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("activity_book", Integer, nullable=False),
    Column("activity_id", BigInteger, nullable=False),
    instant("agreed_at"),
    Column("agreed_by", Uuid, nullable=False, comment="the volunteer, signed in"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "activity_book", "activity_id"),
    comment="The written agreement that some activities need before service.",
)

insurance = Table(
    "insurance",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("from_on", Date, nullable=False, comment="first day covered"),
    Column("until_on", Date, nullable=False, comment="last day covered"),
    Column("number_sealed", LargeBinary, nullable=False, comment="the policy's number, encrypted"),
    Column("recorded_by", Uuid, nullable=False),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "id"),
    Index("ix_insurance_book_id_volunteer_id", "book_id", "volunteer_id"),
    comment="Accident insurance of a volunteer, as an organizer saw it.",
)
