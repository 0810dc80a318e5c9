"""What was handed on to another platform, and what it was found to hold."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from timebank.db import metadata
from timebank.store.tables.columns import instant

exchange_batch = Table(
    "exchange_batch",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("last_seq", BigInteger, nullable=False, comment="last entry handed on"),
    Column("first_seq", BigInteger, nullable=False, comment="first entry handed on"),
    Column("records", Integer, nullable=False, comment="services handed on"),
    instant("sent_at"),
    PrimaryKeyConstraint("book_id", "last_seq"),
    comment="What was handed on to the other platform, from entry to entry. Append-only.",
)

exchange_check = Table(
    "exchange_check",
    metadata,
    Column("book_id", Integer, nullable=False),
    instant("checked_at"),
    Column("last_seq", BigInteger, nullable=False, comment="last entry handed on by then"),
    Column("sent", BigInteger, nullable=False, comment="services sent that stand"),
    Column("held", BigInteger, nullable=False, comment="services that the other side holds"),
    Column("equal", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False, comment="sent and not held"),
    Column("unknown", BigInteger, nullable=False, comment="held and not sent"),
    Column("different", BigInteger, nullable=False, comment="held with other minutes"),
    Column("examples", Text, nullable=False, comment="the first differences, JSON"),
    PrimaryKeyConstraint("book_id", "checked_at"),
    comment="What the other platform was found to hold. Append-only.",
)
