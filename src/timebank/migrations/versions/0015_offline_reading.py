"""Readings that were made without network and sent afterwards.

Lock: none; the table is new.
Way back: drop the table offline_reading; what it recorded stays recorded.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "offline_reading",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the organizing county's book"),
        sa.Column(
            "nonce",
            sa.LargeBinary(),
            nullable=False,
            comment="16 bytes: the same is the same reading",
        ),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sent_by", sa.Uuid(), nullable=False, comment="the person whose device read and sent it"
        ),
        sa.Column(
            "device",
            sa.LargeBinary(),
            nullable=True,
            comment="the kit of an organizer; null from a volunteer's phone",
        ),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="the device's own count"),
        sa.Column("direction", sa.Text(), nullable=False, comment="arrive, leave"),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by the device's estimate; for a rotating code, its window",
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "code",
            sa.Text(),
            nullable=False,
            comment="what was read; empty where somebody was named",
        ),
        sa.Column(
            "named", sa.Text(), nullable=False, comment="the number that the organizer typed"
        ),
        sa.Column(
            "volunteer_book",
            sa.Integer(),
            nullable=True,
            comment="whom it names; null where nobody",
        ),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="arrived, left, known, or a refusal; null until it is decided",
        ),
        sa.Column(
            "is_conflict",
            sa.Boolean(),
            nullable=True,
            comment="true: nothing was recorded, and somebody must look",
        ),
        sa.Column(
            "flag",
            sa.Text(),
            nullable=True,
            comment="what somebody should look at although it was recorded",
        ),
        sa.Column(
            "settled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when an organizer had looked at it",
        ),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("book_id", "nonce", name=op.f("pk_offline_reading")),
        comment="Readings made without network, each kept as it came, with what became of it.",
    )
    op.create_index(
        "ix_offline_reading_book_id_shift_id",
        "offline_reading",
        ["book_id", "shift_id"],
        unique=False,
    )
    op.create_index(
        "ix_offline_reading_sent_by_number", "offline_reading", ["sent_by", "number"], unique=False
    )
    op.execute("grant select, insert, update on offline_reading to timebank_app")
