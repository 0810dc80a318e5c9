"""Every privileged act."""

from sqlalchemy import Column, Index, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    instant("at"),
    Column("person_id", Uuid, comment="null for the operator's command line"),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="what it was done to, by number"),
    Index("ix_audit_event_at", "at"),
    comment="Every privileged act. Insert and select only.",
)
