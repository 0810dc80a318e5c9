"""A county's dated numbers for review."""

from sqlalchemy import Column, Date, Integer, PrimaryKeyConstraint, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

threshold = Table(
    "threshold",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("name", Text, nullable=False, comment="code of the threshold"),
    Column("from_on", Date, nullable=False, comment="first local day on which it holds"),
    instant("set_at"),
    Column("value", Integer, nullable=False),
    Column("source", Text, nullable=False, comment="the document that says so"),
    Column("set_by", Uuid, comment="null for the operator's command line"),
    PrimaryKeyConstraint("book_id", "name", "from_on", "set_at"),
    comment="Numbers of the review, each from a day on; of one day the newest. Append-only.",
)
