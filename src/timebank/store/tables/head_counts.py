"""How many people an organizer saw."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

head_count = Table(
    "head_count",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the organizing county's book"),
    Column("shift_id", BigInteger, nullable=False),
    instant("counted_at"),
    Column("counted_by", Uuid, nullable=False),
    Column("counted", Integer, nullable=False, comment="people the organizer saw"),
    Column("present", Integer, nullable=False, comment="arrivals without departure at that time"),
    PrimaryKeyConstraint("book_id", "shift_id", "counted_at"),
    comment="Spot checks: how many were there, and how many had checked in. Append-only.",
)
