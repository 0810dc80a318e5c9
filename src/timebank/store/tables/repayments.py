"""What came back of what volunteers owed, or was given up."""

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
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

repayment = Table(
    "repayment",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("volunteer", BigInteger, nullable=False),
    Column("unit", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="cash or forgiven"),
    Column("amount", BigInteger, nullable=False, comment="in that unit; fen for money"),
    Column("note", Text, nullable=False, comment="number of the receipt, or why"),
    Column("noted_by", Uuid, nullable=False),
    instant("noted_at"),
    PrimaryKeyConstraint("book_id", "id"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_repayment_book_id_volunteer", "book_id", "volunteer"),
    comment="What one officer noted of a debt, for another one to confirm. Insert and select only.",
)

repayment_decision = Table(
    "repayment_decision",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("repayment", BigInteger, nullable=False),
    Column("is_confirmed", Boolean, nullable=False),
    Column("seq", BigInteger, comment="the entry that settled it; null where it was wrong"),
    Column("person", Uuid, nullable=False),
    instant("at"),
    PrimaryKeyConstraint("book_id", "repayment"),
    comment="What the other officer said, once. Insert and select only.",
)
