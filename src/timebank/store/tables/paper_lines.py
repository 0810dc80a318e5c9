"""What was signed with a pen and entered later."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

paper_line = Table(
    "paper_line",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False),
    Column("shift_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False, comment="which line of the list it was, from 1"),
    Column("entered_by", Uuid, nullable=False),
    instant("entered_at"),
    PrimaryKeyConstraint("book_id", "volunteer_id", "shift_book", "shift_id"),
    comment="Which stays were entered from a signed list, and by whom. Insert and select only.",
)
Index("ix_paper_line_shift_book_shift_id", paper_line.c.shift_book, paper_line.c.shift_id)
