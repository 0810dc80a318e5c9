"""Notices: what a stranger should know beside the entries, in a log of its own.

Lock: none; the tables are new.
Way back: drop the two tables; nothing else refers to them. Keep a copy: their heads were signed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            nullable=False,
            comment="numbered from 1 within the book, no gaps",
        ),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="2 pack, 3 key, 4 erasure"),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="what is made known, JSON in canonical form",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind between 2 and 4", name=op.f("ck_notice_kind")),
        sa.PrimaryKeyConstraint("book_id", "number", name=op.f("pk_notice")),
        comment=(
            "Rules that came into force, keys that changed, secrets that were erased. Append-only."
        ),
    )
    op.create_table(
        "notice_checkpoint",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "size",
            sa.BigInteger(),
            nullable=False,
            comment="notices 1 to size are under the root",
        ),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="the signed note, as it was signed"),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "size", name=op.f("pk_notice_checkpoint")),
        comment="Every head of the notices that was ever signed.",
    )
    op.execute("grant select, insert on notice, notice_checkpoint to timebank_app")
