"""Consent that somebody acts for a volunteer, and what was done under it.

Lock: none; the tables are new.
Way back: drop the tables helped_act and consent; the log of privileged acts keeps what was done.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("helper", sa.Uuid(), nullable=False, comment="the person who may act"),
        sa.Column("may_sign_up", sa.Boolean(), nullable=False, comment="take and give back places"),
        sa.Column("may_see_records", sa.Boolean(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False, comment="last local day"),
        sa.Column("form", sa.Text(), nullable=False, comment="consent.own, consent.signed"),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_consent")),
        comment="A volunteer's consent that somebody acts for them: what, until when, how given.",
    )
    op.create_index(
        "ix_consent_book_id_volunteer_id", "consent", ["book_id", "volunteer_id"], unique=False
    )
    op.create_index("ix_consent_helper", "consent", ["helper"], unique=False)
    op.create_table(
        "helped_act",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.Text(), nullable=False, comment="sign_up, withdraw, look_up"),
        sa.Column("shift_book", sa.Integer(), nullable=True),
        sa.Column("shift_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_helped_act")),
        comment="What helpers did for volunteers, for the volunteers to read. Insert and select only.",
    )
    op.create_index(
        "ix_helped_act_book_id_consent_id", "helped_act", ["book_id", "consent_id"], unique=False
    )
    op.execute("grant select, insert, update on consent to timebank_app")
    op.execute("grant select, insert on helped_act to timebank_app")
