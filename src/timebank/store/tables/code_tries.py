"""How often short codes were guessed."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, SmallInteger, Table

from timebank.db import metadata
from timebank.store.tables.columns import instant

code_try = Table(
    "code_try",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    instant("counted_from", comment="first of the wrong short codes counted in `tries`"),
    Column("tries", SmallInteger, nullable=False),
    PrimaryKeyConstraint("book_id", "volunteer_id"),
    comment="Wrong short codes of a volunteer, so that nobody tries them all.",
)
