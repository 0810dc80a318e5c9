"""How well each end of a stay is evidenced: phones, cards, flags, and what was taken back.

Lock: attendance, for a moment: its new columns have constant defaults and rewrite nothing.
Way back: drop the new tables and columns; the release before this one never reads them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "attendance",
        sa.Column(
            "arrival_grade",
            sa.SmallInteger(),
            nullable=False,
            server_default=sa.text("1"),
            comment="evidence of the arrival, 0 to 3",
        ),
    )
    op.add_column(
        "attendance",
        sa.Column(
            "departure_grade", sa.SmallInteger(), comment="evidence of the departure, 0 to 3"
        ),
    )
    op.add_column(
        "attendance",
        sa.Column(
            "confirmed_at",
            sa.DateTime(timezone=True),
            comment="when an organizer saw the person there first",
        ),
    )
    op.add_column("attendance", sa.Column("confirmed_by", sa.Uuid(), comment="that organizer"))
    op.create_table(
        "device_key",
        sa.Column("id", sa.LargeBinary(), nullable=False, comment="SHA-256 of kind and public key"),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="1 P-256, 2 Ed25519"),
        sa.Column("public", sa.LargeBinary(), nullable=False, comment="the public key"),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), comment="when an organizer let the binding go"
        ),
        sa.Column("ended_by", sa.Uuid(), comment="that organizer; null where the person did it"),
        sa.PrimaryKeyConstraint("id", "bound_at", name=op.f("pk_device_key")),
        comment="Keys of volunteers' phones: one per person, one person per phone. Erasable.",
    )
    for column in ("id", "person_id"):
        op.create_index(
            f"uq_device_key_{column}",
            "device_key",
            [column],
            unique=True,
            postgresql_where=sa.text("ended_at is null"),
        )
    op.create_table(
        "card",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "card", sa.Integer(), nullable=False, comment="numbered from 1 for each volunteer"
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid()),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_by", sa.Uuid()),
        sa.PrimaryKeyConstraint("book_id", "volunteer_id", "card", name=op.f("pk_card")),
        comment="Printed cards with a code that stays the same; a lost one is revoked.",
    )
    op.create_table(
        "scan_flag",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("shift_book", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False, comment="arrive, leave"),
        sa.Column(
            "flag", sa.Text(), nullable=False, comment="stable code, such as flag.shared_device"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "book_id",
            "volunteer_id",
            "shift_book",
            "shift_id",
            "direction",
            "flag",
            "at",
            name=op.f("pk_scan_flag"),
        ),
        comment="Odd readings, for a reviewer; they were recorded all the same.",
    )
    op.create_table(
        "retraction",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("shift_book", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retracted_by", sa.Uuid(), nullable=False, comment="the organizer"),
        sa.Column(
            "arrived_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of the stay, as it was",
        ),
        sa.Column("arrival_measured", sa.Boolean(), nullable=False),
        sa.Column("arrival_grade", sa.SmallInteger(), nullable=False),
        sa.Column(
            "left_at",
            sa.DateTime(timezone=True),
            comment="taken back; null: the arrival was",
        ),
        sa.Column("departure_grade", sa.SmallInteger()),
        sa.Column("reversal_seq", sa.BigInteger(), comment="the entry that takes the credit back"),
        sa.PrimaryKeyConstraint(
            "book_id",
            "volunteer_id",
            "shift_book",
            "shift_id",
            "retracted_at",
            name=op.f("pk_retraction"),
        ),
        comment="Readings that were taken back before closing, as they were. Insert and select only.",
    )
    for table in ("scan_flag", "retraction"):
        op.create_index(f"ix_{table}_shift_book_shift_id", table, ["shift_book", "shift_id"])
        op.execute(f"grant select, insert on {table} to timebank_app")
    for table in ("device_key", "card"):
        op.execute(f"grant select, insert, update, delete on {table} to timebank_app")
