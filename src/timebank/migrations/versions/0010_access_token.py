"""Tokens with which programs read what a district office may read.

Lock: none; the table is new.
Way back: drop the table; programs are refused until they are given new tokens.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False, comment="what the program is called"),
        sa.Column(
            "region", sa.BigInteger(), nullable=False, comment="division that the program sees"
        ),
        sa.Column("acts", sa.ARRAY(sa.Text()), nullable=False, comment="all that it may do"),
        sa.Column("created_by", sa.Uuid(), nullable=False, comment="who answers for the program"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False, comment="last local day on which it works"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_token")),
        sa.UniqueConstraint("id", name=op.f("uq_access_token_id")),
        comment="What programs may read, of which division, until when.",
    )
    op.create_index("ix_access_token_created_by", "access_token", ["created_by"])
    op.execute("grant select, insert, update on access_token to timebank_app")
