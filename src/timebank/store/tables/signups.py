"""The intention to come."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from timebank.db import metadata
from timebank.store.tables.columns import instant

signup = Table(
    "signup",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False, comment="the organizing county's book"),
    Column("shift_id", BigInteger, nullable=False),
    instant("signed_up_at"),
    instant("withdrawn_at", is_required=False),
    instant(
        "missed_at",
        is_required=False,
        comment="when the shift was closed without their having come; no consequence by itself",
    ),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id"),
    comment="The intention: a volunteer's place in a shift.",
)
Index("ix_signup_shift_book_shift_id", signup.c.shift_book, signup.c.shift_id)
