"""What a reviewer should look at."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from timebank.db import metadata
from timebank.store.tables.columns import instant

scan_flag = Table(
    "scan_flag",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the volunteer's book"),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("shift_book", Integer, nullable=False),
    Column("shift_id", BigInteger, nullable=False),
    Column("direction", Text, nullable=False, comment="arrive, leave"),
    Column("flag", Text, nullable=False, comment="stable code, such as flag.shared_device"),
    instant("at"),
    PrimaryKeyConstraint(
        "book_id", "volunteer_id", "shift_book", "shift_id", "direction", "flag", "at"
    ),
    comment="Odd readings, for a reviewer; they were recorded all the same.",
)
Index("ix_scan_flag_shift_book_shift_id", scan_flag.c.shift_book, scan_flag.c.shift_id)
