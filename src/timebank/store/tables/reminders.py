"""What was reminded of, so that nobody is reminded twice."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from timebank.db import metadata
from timebank.store.tables.columns import instant

reminder = Table(
    "reminder",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the organizing county's book"),
    Column("shift_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="departure, record_soon, record_late"),
    instant("sent_at"),
    PrimaryKeyConstraint("book_id", "shift_id", "kind"),
    comment="Reminders that were sent about a shift. Insert and select only.",
)
