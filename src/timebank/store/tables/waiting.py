"""Who waits for a place, and what was said to everybody on a shift."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

waiting_place = Table(
    "waiting_place",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False, comment="the organizing county's book"),
    Column("shift_id", BigInteger, nullable=False),
    instant("joined_at"),
    instant("ended_at", is_required=False, comment="null while they wait"),
    Column("is_promoted", Boolean, comment="true: they got a place; false: they waited no longer"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id"),
    CheckConstraint("(ended_at is null) = (is_promoted is null)", name="ended"),
    comment="Who waits for a place in a full shift, first come first served.",
)
Index(
    "ix_waiting_place_shift",
    waiting_place.c.shift_book,
    waiting_place.c.shift_id,
    waiting_place.c.joined_at,
    postgresql_where=text("ended_at is null"),
)

shift_message = Table(
    "shift_message",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the organizing county's book"),
    Column("shift_id", BigInteger, nullable=False),
    instant("sent_at"),
    Column("sent_by", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    Column("people", Integer, nullable=False, comment="how many it was queued for"),
    PrimaryKeyConstraint("book_id", "shift_id", "sent_at"),
    comment="What an organizer told everybody on a shift. Insert and select only.",
)

calendar_feed = Table(
    "calendar_feed",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the address's token"),
    Column("volunteer_book", Integer, comment="whose shifts; null for an organization's"),
    Column("volunteer_id", BigInteger),
    Column("organization_book", Integer, comment="whose shifts; null for a volunteer's"),
    Column("organization_id", BigInteger),
    Column("made_by", Uuid, nullable=False),
    instant("made_at"),
    instant("ended_at", is_required=False, comment="null while the address works"),
    CheckConstraint("(volunteer_id is null) <> (organization_id is null)", name="whose"),
    Index("ix_calendar_feed_made_by", "made_by"),
    comment="Addresses under which a calendar program reads shifts, until they are revoked.",
)
