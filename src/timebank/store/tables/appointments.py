"""Which roles a person holds."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

appointment = Table(
    "appointment",
    metadata,
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("book_id", Integer, comment="organizer, partner: book of the organization or shop"),
    Column("organization_id", BigInteger, comment="organizer: the organization"),
    Column("region", BigInteger, comment="officer and auditor: the division they see"),
    Column("partner_id", BigInteger, comment="partner: the shop, in the book"),
    instant("from_at"),
    instant("until_at", is_required=False),
    Index("ix_appointment_person_id", "person_id"),
    comment="Which roles a person holds, where and since when.",
)
