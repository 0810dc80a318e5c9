"""The fact of having come."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
    text,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

attendance = Table(
    "attendance",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False),
    Column("shift_id", BigInteger, nullable=False),
    instant("arrived_at"),
    Column(
        "arrival_measured", Boolean, nullable=False, comment="by a code; else set by the organizer"
    ),
    Column(
        "arrival_grade",
        SmallInteger,
        nullable=False,
        server_default=text("1"),
        comment="evidence of the arrival, 0 to 3",
    ),
    instant("left_at", is_required=False),
    Column("departure_measured", Boolean, comment="null before the departure"),
    Column("departure_grade", SmallInteger, comment="evidence of the departure, 0 to 3"),
    instant(
        "confirmed_at", is_required=False, comment="when an organizer saw the person there first"
    ),
    Column("confirmed_by", Uuid, comment="that organizer"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id"),
    CheckConstraint("(left_at is null) = (departure_measured is null)", name="departure"),
    comment="The fact: arrival and departure.",
)
Index(
    "ix_attendance_arrivals",
    attendance.c.book_id,
    attendance.c.volunteer_id,
    attendance.c.arrived_at,
)
Index("ix_attendance_shift_book_shift_id", attendance.c.shift_book, attendance.c.shift_id)
