"""Tokens of programs."""

from sqlalchemy import ARRAY, BigInteger, Column, Date, Index, LargeBinary, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

access_token = Table(
    "access_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the token"),
    Column("id", Uuid, nullable=False, unique=True),
    Column("label", Text, nullable=False, comment="what the program is called"),
    Column("region", BigInteger, nullable=False, comment="division that the program sees"),
    Column("acts", ARRAY(Text), nullable=False, comment="all that it may do"),
    Column("created_by", Uuid, nullable=False, comment="who answers for the program"),
    instant("created_at"),
    Column("last_on", Date, nullable=False, comment="last local day on which it works"),
    instant("ended_at", is_required=False),
    Index("ix_access_token_created_by", "created_by"),
    comment="What programs may read, of which division, until when.",
)
