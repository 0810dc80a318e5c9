"""What came back of what volunteers owed, or was given up.

Lock: none; the tables are new.
Way back: drop the two tables; what was settled stays in the ledger.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "repayment",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="cash or forgiven"),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="in that unit; fen for money"),
        sa.Column("note", sa.Text(), nullable=False, comment="number of the receipt, or why"),
        sa.Column("noted_by", sa.Uuid(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_repayment_amount")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_repayment")),
        comment="What one officer noted of a debt, for another one to confirm. Insert and select only.",
    )
    op.create_index("ix_repayment_book_id_volunteer", "repayment", ["book_id", "volunteer"])
    op.create_table(
        "repayment_decision",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("repayment", sa.BigInteger(), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            nullable=True,
            comment="the entry that settled it; null where it was wrong",
        ),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "repayment", name=op.f("pk_repayment_decision")),
        comment="What the other officer said, once. Insert and select only.",
    )
    op.execute("grant select, insert on repayment, repayment_decision to timebank_app")
