"""Messages that wait for a gateway."""

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, Table, Uuid, text

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
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),
    instant("next_at", is_required=False, comment="not tried before this; null: at once"),
    instant("failed_at", is_required=False, comment="when it was given up"),
    Index("ix_outbox_queued_at", "queued_at"),
    Index(
        "ix_outbox_waiting",
        "queued_at",
        postgresql_where=text("sent_at is null and failed_at is null"),
    ),
    comment="Messages to people, encrypted, until a gateway has sent them.",
)
