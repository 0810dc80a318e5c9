"""Printed cards."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

card = Table(
    "card",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("card", Integer, nullable=False, comment="numbered from 1 for each volunteer"),
    instant("issued_at"),
    Column("issued_by", Uuid),
    instant("revoked_at", is_required=False),
    Column("revoked_by", Uuid),
    PrimaryKeyConstraint("book_id", "volunteer_id", "card"),
    comment="Printed cards with a code that stays the same; a lost one is revoked.",
)
