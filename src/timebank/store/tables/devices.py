"""Whose phone is whose."""

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

device_key = Table(
    "device_key",
    metadata,
    Column("id", LargeBinary, nullable=False, comment="SHA-256 of kind and public key"),
    instant("bound_at"),
    Column("person_id", Uuid, nullable=False),
    Column("kind", SmallInteger, nullable=False, comment="1 P-256, 2 Ed25519"),
    Column("public", LargeBinary, nullable=False, comment="the public key"),
    instant("ended_at", is_required=False, comment="when an organizer let the binding go"),
    Column("ended_by", Uuid, comment="that organizer; null where the person did it"),
    PrimaryKeyConstraint("id", "bound_at"),
    comment="Keys of volunteers' phones: one per person, one person per phone. Erasable.",
)
Index(
    "uq_device_key_id",
    device_key.c.id,
    unique=True,
    postgresql_where=device_key.c.ended_at.is_(None),
)
Index(
    "uq_device_key_person_id",
    device_key.c.person_id,
    unique=True,
    postgresql_where=device_key.c.ended_at.is_(None),
)
