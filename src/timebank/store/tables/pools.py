"""Budgets, stocks and what can be had for points."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

pool = Table(
    "pool",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("code", Text, nullable=False, comment="by which rules name it, such as star-fund-2026"),
    Column("title", Text, nullable=False, comment="in Chinese"),
    Column("title_en", Text, nullable=False),
    Column("owner", Text, nullable=False, comment="whose budget it is"),
    Column("unit", SmallInteger, nullable=False, comment="what it holds: fen, or an item"),
    Column("when_out", Text, nullable=False, comment="refuse, queue, pro_rata, rank"),
    Column("from_on", Date, nullable=False, comment="first local day"),
    Column("until_on", Date, comment="last local day; null without an end"),
    instant("opened_at"),
    Column("opened_by", Uuid, comment="null for the operator's command line, and for a pack"),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "code"),
    CheckConstraint("until_on >= from_on", name="days"),
    comment="A budget or a stock; what it holds are bounded accounts of the ledger.",
)

catalog_item = Table(
    "catalog_item",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("item", Text, nullable=False, comment="code of the unit, such as pass:haircut"),
    Column("title", Text, nullable=False, comment="in Chinese"),
    Column("title_en", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="in Chinese; where and how to use it"),
    Column("detail_en", Text, nullable=False),
    Column("price_unit", SmallInteger, nullable=False, comment="2 credits, 3 points"),
    Column("price", BigInteger, nullable=False, comment="for one, in that unit"),
    Column("valid_days", SmallInteger, nullable=False, comment="days of use after the exchange"),
    Column("pool_id", BigInteger, comment="its stock; null: as many as are wanted"),
    Column("from_on", Date, nullable=False, comment="first local day"),
    Column("until_on", Date, comment="last local day; null without an end"),
    instant("opened_at"),
    Column("opened_by", Uuid),
    PrimaryKeyConstraint("book_id", "id"),
    CheckConstraint("price > 0 and valid_days > 0", name="price"),
    CheckConstraint("price_unit in (2, 3)", name="price_unit"),
    comment="What volunteers can have for their points or credits.",
)
