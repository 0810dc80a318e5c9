"""What is handed on to another platform, and what it holds of it.

Lock: none; the tables are new.
Way back: drop the two tables; the next batch then hands everything on again, which replaces what
the other side has.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "exchange_batch",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False, comment="last entry handed on"),
        sa.Column("first_seq", sa.BigInteger(), nullable=False, comment="first entry handed on"),
        sa.Column("records", sa.Integer(), nullable=False, comment="services handed on"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "last_seq", name=op.f("pk_exchange_batch")),
        comment="What was handed on to the other platform, from entry to entry. Append-only.",
    )
    op.create_table(
        "exchange_check",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "last_seq", sa.BigInteger(), nullable=False, comment="last entry handed on by then"
        ),
        sa.Column("sent", sa.BigInteger(), nullable=False, comment="services sent that stand"),
        sa.Column(
            "held", sa.BigInteger(), nullable=False, comment="services that the other side holds"
        ),
        sa.Column("equal", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False, comment="sent and not held"),
        sa.Column("unknown", sa.BigInteger(), nullable=False, comment="held and not sent"),
        sa.Column("different", sa.BigInteger(), nullable=False, comment="held with other minutes"),
        sa.Column("examples", sa.Text(), nullable=False, comment="the first differences, JSON"),
        sa.PrimaryKeyConstraint("book_id", "checked_at", name=op.f("pk_exchange_check")),
        comment="What the other platform was found to hold. Append-only.",
    )
    op.execute("grant select, insert on exchange_batch, exchange_check to timebank_app")
