"""Every pack that ever granted."""

from sqlalchemy import Column, LargeBinary, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

pack = Table(
    "pack",
    metadata,
    Column("hash", Text, primary_key=True, comment="SHA-256 of the canonical form, hexadecimal"),
    Column("pack_id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="the canonical form itself"),
    instant("enacted_at"),
    Column("enacted_by", Uuid),
    comment="Every pack that ever granted: a decision can be made again. Append-only.",
)
