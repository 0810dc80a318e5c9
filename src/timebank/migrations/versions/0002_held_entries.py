"""Entries that wait for a second person, and a county's dated numbers for review.

Lock: none; the tables are new.
Way back: drop the two tables; entries that wait are lost and must be submitted again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "held_entry",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="closing, paper"),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="what it is about, such as shift/17"
        ),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "shift_id",
            sa.BigInteger(),
            nullable=True,
            comment="null where it is about no single shift",
        ),
        sa.Column(
            "content",
            sa.Text(),
            nullable=False,
            comment="who would be credited: book, number, since, until, minutes each, JSON",
        ),
        sa.Column(
            "note",
            sa.Text(),
            nullable=False,
            comment="what else is needed to do it; may be empty",
        ),
        sa.Column("minutes", sa.BigInteger(), nullable=False, comment="all that would be credited"),
        sa.Column("people", sa.Integer(), nullable=False, comment="how many would be credited"),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null while it waits",
        ),
        sa.Column(
            "is_approved",
            sa.Boolean(),
            nullable=True,
            comment="false: sent back, or replaced by a newer one",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was sent back"),
        sa.CheckConstraint(
            "(decided_at is null) = (is_approved is null)", name=op.f("ck_held_entry_decision")
        ),
        sa.CheckConstraint(
            "not is_approved or decided_by <> submitted_by",
            name=op.f("ck_held_entry_second_person"),
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_held_entry")),
        comment="Hours by one person's word above the county's limit, until a second person decides.",
    )
    op.create_index(
        "ix_held_entry_book_id_organization_id", "held_entry", ["book_id", "organization_id"]
    )
    op.create_index(
        "uq_held_entry_waiting",
        "held_entry",
        ["book_id", "kind", "subject"],
        unique=True,
        postgresql_where=sa.text("decided_at is null"),
    )
    op.create_table(
        "threshold",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="code of the threshold"),
        sa.Column(
            "from_on", sa.Date(), nullable=False, comment="first local day on which it holds"
        ),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the document that says so"),
        sa.Column(
            "set_by", sa.Uuid(), nullable=True, comment="null for the operator's command line"
        ),
        sa.PrimaryKeyConstraint("book_id", "name", "from_on", "set_at", name=op.f("pk_threshold")),
        comment="Numbers of the review, each from a day on; of one day the newest. Append-only.",
    )
    op.execute("grant select, insert, update on held_entry to timebank_app")
    op.execute("grant select, insert on threshold to timebank_app")
