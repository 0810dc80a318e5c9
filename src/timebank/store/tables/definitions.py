"""What an office decided that a rate means in its division."""

from sqlalchemy import BigInteger, Column, Date, PrimaryKeyConstraint, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

rate_definition = Table(
    "rate_definition",
    metadata,
    Column("region", BigInteger, nullable=False, comment="division that it holds in, and below"),
    Column("name", Text, nullable=False, comment="the stable name: the division and a word"),
    Column("valid_from", Date, nullable=False),
    Column("content", Text, nullable=False, comment="all that it says, as JSON"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the content, hexadecimal"),
    Column("decided_by", Uuid, comment="null for the operator's command line"),
    instant("decided_at"),
    PrimaryKeyConstraint("region", "name", "valid_from"),
    comment="Definitions of rates that districts decided. Append-only: another value is another "
    "row with a later first day.",
)
