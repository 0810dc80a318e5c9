"""What other offices say about volunteers: certificates, employment, registers, credit."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

attestation = Table(
    "attestation",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("fact", Text, nullable=False, comment="name of the fact, such as certificate_level"),
    Column(
        "detail",
        Text,
        nullable=False,
        comment="division code or register that the fact names; empty for most",
    ),
    Column("from_on", Date, nullable=False, comment="first local day that it is said of"),
    Column("through_on", Date, comment="last local day; null until something else is said"),
    Column("value", Integer, nullable=False, comment="0 or 1, or the place of the choice"),
    Column("source", Text, nullable=False, comment="who says so, in which document"),
    instant("recorded_at"),
    Column("recorded_by", Uuid, comment="null for the operator's command line"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "fact", "detail", "from_on", "recorded_at"),
    CheckConstraint("value >= 0", name="value"),
    CheckConstraint("through_on >= from_on", name="days"),
    comment="What other offices say, with day and source; of one day the newest counts."
    " Never changed; deleted with the person.",
)
