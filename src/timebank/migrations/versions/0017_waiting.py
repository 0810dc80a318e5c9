"""Who waits for a place, who missed one, messages to a shift, calendar addresses, tries of a message.

Lock: signup and outbox briefly, for new columns without rewriting them; the other tables are new.
Way back: drop the three tables and the four columns; waiting lists and addresses are lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column(
            "token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the address's token"
        ),
        sa.Column(
            "volunteer_book",
            sa.Integer(),
            nullable=True,
            comment="whose shifts; null for an organization's",
        ),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "organization_book",
            sa.Integer(),
            nullable=True,
            comment="whose shifts; null for a volunteer's",
        ),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null while the address works",
        ),
        sa.CheckConstraint(
            "(volunteer_id is null) <> (organization_id is null)",
            name=op.f("ck_calendar_feed_whose"),
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_calendar_feed")),
        comment="Addresses under which a calendar program reads shifts, until they are revoked.",
    )
    op.create_index("ix_calendar_feed_made_by", "calendar_feed", ["made_by"], unique=False)
    op.create_table(
        "shift_message",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the organizing county's book"),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False, comment="how many it was queued for"),
        sa.PrimaryKeyConstraint("book_id", "shift_id", "sent_at", name=op.f("pk_shift_message")),
        comment="What an organizer told everybody on a shift. Insert and select only.",
    )
    op.create_table(
        "waiting_place",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "shift_book", sa.Integer(), nullable=False, comment="the organizing county's book"
        ),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="null while they wait"
        ),
        sa.Column(
            "is_promoted",
            sa.Boolean(),
            nullable=True,
            comment="true: they got a place; false: they waited no longer",
        ),
        sa.CheckConstraint(
            "(ended_at is null) = (is_promoted is null)", name=op.f("ck_waiting_place_ended")
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "shift_book", "shift_id", name=op.f("pk_waiting_place")
        ),
        comment="Who waits for a place in a full shift, first come first served.",
    )
    op.create_index(
        "ix_waiting_place_shift",
        "waiting_place",
        ["shift_book", "shift_id", "joined_at"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.add_column(
        "outbox", sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "outbox",
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="not tried before this; null: at once",
        ),
    )
    op.add_column(
        "outbox",
        sa.Column(
            "failed_at", sa.DateTime(timezone=True), nullable=True, comment="when it was given up"
        ),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["queued_at"],
        unique=False,
        postgresql_where=sa.text("sent_at is null and failed_at is null"),
    )
    op.add_column(
        "signup",
        sa.Column(
            "missed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the shift was closed without their having come; no consequence by itself",
        ),
    )
    op.execute("grant select, insert, update on waiting_place, calendar_feed to timebank_app")
    op.execute("grant select, insert on shift_message to timebank_app")
