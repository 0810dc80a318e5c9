"""The services of full segments as columns, for reports.

Lock: none; the table is new.
Way back: drop table entry_segment; it is made of the journal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COLUMNS = ("seq", "volunteer", "day", "minutes", "grade", "work", "shift", "works")


def upgrade() -> None:
    op.create_table(
        "entry_segment",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            nullable=False,
            comment="from 0; holds entries 65536 * number + 1 to 65536 * (number + 1)",
        ),
        sa.Column(
            "first_day",
            sa.Integer(),
            nullable=True,
            comment="of a service, from 1970-01-01; null where it has none",
        ),
        sa.Column(
            "last_day",
            sa.Integer(),
            nullable=True,
            comment="of a service, from 1970-01-01; null where it has none",
        ),
        sa.Column("seq", sa.LargeBinary(), nullable=False, comment="of each service: 8 bytes"),
        sa.Column("volunteer", sa.LargeBinary(), nullable=False, comment="whose: 4 bytes"),
        sa.Column("day", sa.LargeBinary(), nullable=False, comment="in the book's zone: 4 bytes"),
        sa.Column(
            "minutes",
            sa.LargeBinary(),
            nullable=False,
            comment="below zero if reversed: 4 bytes",
        ),
        sa.Column(
            "grade",
            sa.LargeBinary(),
            nullable=False,
            comment="4 * assurance + measured: 2 bytes",
        ),
        sa.Column(
            "work", sa.LargeBinary(), nullable=False, comment="place in works, from 0: 4 bytes"
        ),
        sa.Column(
            "shift", sa.LargeBinary(), nullable=False, comment="0 where none is known: 4 bytes"
        ),
        sa.Column(
            "works",
            sa.LargeBinary(),
            nullable=False,
            comment="book 4, activity 8, field 2, place 8 bytes, each big-endian as all columns are",
        ),
        sa.PrimaryKeyConstraint("book_id", "number", name=op.f("pk_entry_segment")),
        comment="Services of 65,536 entries as columns, made of the journal for reports. Append-only.",
    )
    for column in COLUMNS:
        # They are read whole and at once: packing them would cost more than it saves.
        op.execute(f"alter table entry_segment alter column {column} set storage external")
    op.execute("grant select, insert on entry_segment to timebank_app")
