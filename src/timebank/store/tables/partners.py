"""Who redeems vouchers, and what they are paid for each."""

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
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

partner = Table(
    "partner",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    instant("opened_at"),
    instant("ended_at", is_required=False),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "name"),
    comment="A shop or house that redeems vouchers.",
)

partner_item = Table(
    "partner_item",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("partner_id", BigInteger, nullable=False),
    Column("item", Text, nullable=False, comment="code of the unit, such as pass:film"),
    Column("from_on", Date, nullable=False, comment="first local day"),
    Column("fen_each", BigInteger, comment="what the office pays for one; null: not taken"),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "partner_id", "item", "from_on"),
    CheckConstraint("fen_each >= 0", name="fen_each"),
    comment="What a partner takes, and the price of each from which day. Insert and select only.",
)

partner_try = Table(
    "partner_try",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("partner_id", BigInteger, nullable=False),
    instant("counted_from"),
    Column("tries", SmallInteger, nullable=False, comment="wrong digits since counted_from"),
    PrimaryKeyConstraint("book_id", "partner_id"),
)
