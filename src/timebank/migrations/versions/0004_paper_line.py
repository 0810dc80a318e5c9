"""Lists that people signed with a pen.

Lock: none; the table is new.
Way back: drop the table paper_line.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "paper_line",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("shift_book", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "line", sa.Integer(), nullable=False, comment="which line of the list it was, from 1"
        ),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "shift_book", "shift_id", name=op.f("pk_paper_line")
        ),
        comment="Which stays were entered from a signed list, and by whom. Insert and select only.",
    )
    op.create_index(
        "ix_paper_line_shift_book_shift_id", "paper_line", ["shift_book", "shift_id"], unique=False
    )
    op.execute("grant select, insert on paper_line to timebank_app")
