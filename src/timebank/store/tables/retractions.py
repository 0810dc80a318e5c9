"""Arrivals and departures that were taken back."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

retraction = Table(
    "retraction",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False),
    Column("shift_id", BigInteger, nullable=False),
    instant("retracted_at"),
    Column("retracted_by", Uuid, nullable=False, comment="the organizer"),
    instant("arrived_at", comment="of the stay, as it was"),
    Column("arrival_measured", Boolean, nullable=False),
    Column("arrival_grade", SmallInteger, nullable=False),
    instant("left_at", is_required=False, comment="taken back; null: the arrival was"),
    Column("departure_grade", SmallInteger),
    Column("reversal_seq", BigInteger, comment="the entry that takes the credit back"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id", "retracted_at"),
    comment="Readings that were taken back before closing, as they were. Insert and select only.",
)
Index("ix_retraction_shift_book_shift_id", retraction.c.shift_book, retraction.c.shift_id)
