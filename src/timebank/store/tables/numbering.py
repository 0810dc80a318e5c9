"""The newest number given to each kind of thing in a book."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from timebank.db import metadata

numbering = Table(
    "numbering",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("noun", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("book_id", "noun"),
    comment="The newest number given to each kind of thing in a book.",
)
