"""What was reminded of, and the shifts that wait to be closed.

Lock: `shift` against writes while the index over its open rows is built.
Way back: drop the table and the index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "reminder",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the organizing county's book"),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="departure, record_soon, record_late"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "shift_id", "kind", name=op.f("pk_reminder")),
        comment="Reminders that were sent about a shift. Insert and select only.",
    )
    op.create_index(
        "ix_shift_unclosed",
        "shift",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("closed_at is null and cancelled_at is null"),
    )
    op.execute("grant select, insert on reminder to timebank_app")
