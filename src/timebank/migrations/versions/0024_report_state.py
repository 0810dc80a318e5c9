"""Sums for reports that outlive the process that made them.

Lock: none; the table is new.
Way back: drop the table; it is made of the journal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "report_state",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False, comment="what is summed, such as `year`"),
        sa.Column(
            "first_day",
            sa.Integer(),
            nullable=False,
            comment="of the services, from 1970-01-01",
        ),
        sa.Column(
            "last_day",
            sa.Integer(),
            nullable=False,
            comment="of the services, from 1970-01-01",
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="it is made of entries 1 to seq"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="the sums as columns"),
        sa.PrimaryKeyConstraint(
            "book_id", "noun", "first_day", "last_day", name=op.f("pk_report_state")
        ),
        comment="Sums for reports, stored so that a new process need not read a year of entries; "
        "made of the journal, and made again by the audit.",
    )
    # It is read whole and at once: packing it would cost more than it saves.
    op.execute("alter table report_state alter column content set storage external")
    op.execute("grant select, insert, update on report_state to timebank_app")
