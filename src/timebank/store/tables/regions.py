"""Administrative divisions and their dated populations, shared by all books."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from timebank.db import metadata

region = Table(
    "region",
    metadata,
    Column("code", BigInteger, primary_key=True, autoincrement=False, comment="12 digits"),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False, comment="province, city, county, town, village"),
    Column("parent", BigInteger, comment="null for a province"),
    comment="Administrative divisions. Shared by all books.",
)
Index("ix_region_parent", region.c.parent)

residents = Table(
    "residents",
    metadata,
    Column("region", BigInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("count", BigInteger, nullable=False, comment="people who live there"),
    Column(
        "is_estimate", Boolean, nullable=False, comment="derived from the source, not counted by it"
    ),
    PrimaryKeyConstraint("region", "as_of", "source"),
    CheckConstraint("count >= 0", name="count"),
    comment="Dated populations with their source. Shared by all books.",
)

residents_aged = Table(
    "residents_aged",
    metadata,
    Column("region", BigInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("first_age", SmallInteger, nullable=False),
    Column("last_age", SmallInteger, nullable=False, comment="counts too"),
    Column("count", BigInteger, nullable=False, comment="people of these ages who live there"),
    Column(
        "is_estimate", Boolean, nullable=False, comment="derived from the source, not counted by it"
    ),
    PrimaryKeyConstraint("region", "as_of", "source", "first_age", "last_age"),
    CheckConstraint("count >= 0", name="count"),
    CheckConstraint("0 <= first_age and first_age <= last_age", name="ages"),
    comment="Dated populations of an age band with their source. Shared by all books.",
)
