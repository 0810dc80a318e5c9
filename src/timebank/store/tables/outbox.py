"""Messages that wait for a gateway."""

from sqlalchemy import Column, Index, LargeBinary, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    instant("queued_at"),
    instant("sent_at", is_required=False),
    Index("ix_outbox_queued_at", "queued_at"),
    comment="Messages to people, encrypted, until a gateway has sent them.",
)
