"""Reports that go out by themselves."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

standing_report = Table(
    "standing_report",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("label", Text, nullable=False),
    Column("region", BigInteger, nullable=False, comment="division that it is of"),
    Column("metrics", ARRAY(Text), nullable=False),
    Column("definition", Text, nullable=False),
    Column("cadence", Text, nullable=False, comment="month, quarter, year"),
    Column("form", Text, nullable=False, comment="csv, xlsx, json, parquet"),
    Column("way", Text, nullable=False, comment="mail, webhook"),
    Column("address_sealed", LargeBinary, nullable=False, comment="where to, encrypted"),
    Column("key_sealed", LargeBinary, nullable=False, comment="what signs it, encrypted"),
    instant("created_at"),
    instant("ended_at", is_required=False),
    comment="Reports that go out by themselves, each period once.",
)

report_delivery = Table(
    "report_delivery",
    metadata,
    Column("report", Uuid, nullable=False),
    Column("window", Text, nullable=False, comment="the period, such as 2024-03"),
    Column("tries", SmallInteger, nullable=False),
    instant("next_at", comment="not tried before this"),
    instant("sent_at", is_required=False),
    instant("failed_at", is_required=False, comment="when it was given up"),
    Column("note", Text, nullable=False, comment="what the other side said last; may be empty"),
    PrimaryKeyConstraint("report", "window"),
    comment="One period of a standing report: whether it went out.",
)
