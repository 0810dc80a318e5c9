"""Where an activity meets, to the metre."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

meeting_point = Table(
    "meeting_point",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("activity_id", BigInteger, nullable=False),
    Column("latitude", Double, nullable=False, comment="degrees, WGS 84"),
    Column("longitude", Double, nullable=False, comment="degrees, WGS 84"),
    Column("radius", Integer, nullable=False, comment="metres"),
    instant("set_at"),
    Column("set_by", Uuid, nullable=False),
    PrimaryKeyConstraint("book_id", "activity_id"),
    CheckConstraint("latitude between -90 and 90", name="latitude"),
    CheckConstraint("longitude between -180 and 180", name="longitude"),
    CheckConstraint("radius > 0", name="radius"),
    comment="A place of work, never of a person: phones compare with it and tell yes or no.",
)
