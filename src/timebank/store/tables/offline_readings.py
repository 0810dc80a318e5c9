"""What was read without network and sent afterwards."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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

offline_reading = Table(
    "offline_reading",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the organizing county's book"),
    Column("nonce", LargeBinary, nullable=False, comment="16 bytes: the same is the same reading"),
    Column("shift_id", BigInteger, nullable=False),
    Column("sent_by", Uuid, nullable=False, comment="the person whose device read and sent it"),
    Column("device", LargeBinary, comment="the kit of an organizer; null from a volunteer's phone"),
    Column("number", BigInteger, nullable=False, comment="the device's own count"),
    Column("direction", Text, nullable=False, comment="arrive, leave"),
    instant("read_at", comment="by the device's estimate; for a rotating code, its window"),
    instant("received_at"),
    Column("code", Text, nullable=False, comment="what was read; empty where somebody was named"),
    Column("named", Text, nullable=False, comment="the number that the organizer typed"),
    Column("volunteer_book", Integer, comment="whom it names; null where nobody"),
    Column("volunteer_id", BigInteger),
    Column("outcome", Text, comment="arrived, left, known, or a refusal; null until it is decided"),
    Column("is_conflict", Boolean, comment="true: nothing was recorded, and somebody must look"),
    Column("flag", Text, comment="what somebody should look at although it was recorded"),
    instant("settled_at", is_required=False, comment="when an organizer had looked at it"),
    Column("settled_by", Uuid),
    PrimaryKeyConstraint("book_id", "nonce"),
    comment="Readings made without network, each kept as it came, with what became of it.",
)
Index("ix_offline_reading_book_id_shift_id", offline_reading.c.book_id, offline_reading.c.shift_id)
Index(
    "ix_offline_reading_sent_by_number",
    offline_reading.c.sent_by,
    offline_reading.c.number,
)
