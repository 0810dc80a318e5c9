"""What services did for others: how many people and households they reached."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

reach = Table(
    "reach",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("activity_id", BigInteger, nullable=False),
    Column("held_on", Date, nullable=False, comment="local day"),
    Column("shift_id", BigInteger, nullable=False, comment="0: of the whole day"),
    Column("number", Integer, nullable=False, comment="from 1; the newest one counts"),
    Column("times", Integer, nullable=False, comment="how often it was done"),
    Column("people", Integer, comment="person-times served; null: nobody counted"),
    Column("households", Integer, comment="household visits; null: nobody counted"),
    Column("source", Text, nullable=False, comment="who counted, or the file it comes from"),
    Column("recorded_by", Uuid, comment="null for the operator's command line"),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "activity_id", "held_on", "shift_id", "number"),
    ForeignKeyConstraint(["book_id", "activity_id"], ["activity.book_id", "activity.id"]),
    CheckConstraint("times > 0 and people >= 0 and households >= 0", name="counts"),
    comment="What an activity reached on a day or in a shift. Counts only, and nobody's name.",
)
