"""Who organizes."""

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

organization = Table(
    "organization",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="team, station, social_organization, community, enterprise",
    ),
    Column("region", BigInteger, nullable=False),
    instant("opened_at"),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "name"),
)
