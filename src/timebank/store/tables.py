"""The tables of the store. A county's rows carry its book first, which is also the shard key."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from timebank.db import metadata


def _instant(
    name: str, *, is_required: bool = True, comment: str | None = None
) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=not is_required, comment=comment)


region = Table(
    "region",
    metadata,
    Column("code", BigInteger, primary_key=True, autoincrement=False, comment="12 digits"),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False, comment="province, city, county, town, village"),
    Column("parent", BigInteger, comment="null for a province"),
    comment="Administrative divisions. Shared by all books.",
)
Index("ix_region_parent", region.c.parent)

residents = Table(
    "residents",
    metadata,
    Column("region", BigInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("count", BigInteger, nullable=False, comment="people who live there"),
    Column(
        "is_estimate", Boolean, nullable=False, comment="derived from the source, not counted by it"
    ),
    PrimaryKeyConstraint("region", "as_of", "source"),
    CheckConstraint("count >= 0", name="count"),
    comment="Dated populations with their source. Shared by all books.",
)

numbering = Table(
    "numbering",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("noun", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("book_id", "noun"),
    comment="The newest number given to each kind of thing in a book.",
)

person = Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "phone_mac",
        LargeBinary,
        unique=True,
        comment="keyed hash of the phone number; null after erasure or where none is known",
    ),
    Column("phone_sealed", LargeBinary, comment="phone number, encrypted"),
    Column("name_sealed", LargeBinary, comment="name, encrypted"),
    _instant("created_at"),
    comment="The erasable store of who people are. The ledger never refers to it.",
)

appointment = Table(
    "appointment",
    metadata,
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("book_id", Integer, comment="organizer: book of the organization"),
    Column("organization_id", BigInteger, comment="organizer: the organization"),
    Column("region", BigInteger, comment="officer and auditor: the division they see"),
    _instant("from_at"),
    _instant("until_at", is_required=False),
    Index("ix_appointment_person_id", "person_id"),
    comment="Which roles a person holds, where and since when.",
)

volunteer = Table(
    "volunteer",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("person_id", Uuid, comment="null after erasure"),
    Column("reference", Text, comment="number in the system that the record was imported from"),
    Column("minutes_account", BigInteger, nullable=False),
    _instant("enrolled_at"),
    _instant("ended_at", is_required=False, comment="when the volunteer left this book"),
    _instant(
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
    _instant("recorded_at", is_required=False, comment="null: with the enrolment"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "from_on"),
    comment="Where a volunteer lives, from which day.",
)

organization = Table(
    "organization",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="team, station, social_organization, community, enterprise",
    ),
    Column("region", BigInteger, nullable=False),
    _instant("opened_at"),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "name"),
)

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
    _instant("created_at"),
    _instant("cancelled_at", is_required=False),
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
    Index("ix_activity_book_id_organization_id", "book_id", "organization_id"),
)

shift = Table(
    "shift",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("activity_id", BigInteger, nullable=False),
    _instant("starts_at"),
    _instant("ends_at"),
    Column("places", Integer, nullable=False, comment="how many volunteers can sign up"),
    _instant("cancelled_at", is_required=False),
    _instant(
        "closed_at", is_required=False, comment="when the organizer closed it; no scan after that"
    ),
    PrimaryKeyConstraint("book_id", "id"),
    ForeignKeyConstraint(["book_id", "activity_id"], ["activity.book_id", "activity.id"]),
    CheckConstraint("starts_at < ends_at", name="span"),
    CheckConstraint("places > 0", name="places"),
    Index("ix_shift_book_id_activity_id", "book_id", "activity_id"),
    Index("ix_shift_book_id_starts_at", "book_id", "starts_at"),
)

signup = Table(
    "signup",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False, comment="the organizing county's book"),
    Column("shift_id", BigInteger, nullable=False),
    _instant("signed_up_at"),
    _instant("withdrawn_at", is_required=False),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id"),
    comment="The intention: a volunteer's place in a shift.",
)
Index("ix_signup_shift_book_shift_id", signup.c.shift_book, signup.c.shift_id)

attendance = Table(
    "attendance",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False),
    Column("shift_id", BigInteger, nullable=False),
    _instant("arrived_at"),
    Column(
        "arrival_measured", Boolean, nullable=False, comment="by a code; else set by the organizer"
    ),
    _instant("left_at", is_required=False),
    Column("departure_measured", Boolean, comment="null before the departure"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id"),
    CheckConstraint("(left_at is null) = (departure_measured is null)", name="departure"),
    comment="The fact: arrival and departure.",
)
Index("ix_attendance_shift_book_shift_id", attendance.c.shift_book, attendance.c.shift_id)

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("phone_mac", LargeBinary, primary_key=True),
    Column("code_mac", LargeBinary, nullable=False, comment="keyed hash of the six digits"),
    _instant("sent_at"),
    _instant("expires_at"),
    Column("tries", SmallInteger, nullable=False, comment="wrong answers to codes not yet expired"),
    _instant("counted_from", comment="first of the codes counted in `codes`"),
    Column("codes", SmallInteger, nullable=False, comment="codes sent since counted_from"),
    comment="The newest sign-in code of a phone number.",
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    _instant("queued_at"),
    _instant("sent_at", is_required=False),
    Index("ix_outbox_queued_at", "queued_at"),
    comment="Messages to people, encrypted, until a gateway has sent them.",
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("person_id", Uuid, nullable=False),
    _instant("signed_in_at"),
    _instant("expires_at"),
    _instant("ended_at", is_required=False),
    Index("ix_sign_in_person_id", "person_id"),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    _instant("at"),
    Column("person_id", Uuid, comment="null for the operator's command line"),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="what it was done to, by number"),
    Index("ix_audit_event_at", "at"),
    comment="Every privileged act. Insert and select only.",
)

pack = Table(
    "pack",
    metadata,
    Column("hash", Text, primary_key=True, comment="SHA-256 of the canonical form, hexadecimal"),
    Column("pack_id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="the canonical form itself"),
    _instant("enacted_at"),
    Column("enacted_by", Uuid),
    comment="Every pack that ever granted: a decision can be made again. Append-only.",
)

APPEND_ONLY = (audit_event, pack)
"""On these the application may insert and select, nothing more."""
