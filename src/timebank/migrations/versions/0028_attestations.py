"""What other offices say about volunteers, for policies to ask.

Lock: none; the table is new.
Way back: drop the table, and have the registers taken again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "attestation",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "fact", sa.Text(), nullable=False, comment="name of the fact, such as certificate_level"
        ),
        sa.Column(
            "detail",
            sa.Text(),
            nullable=False,
            comment="division code or register that the fact names; empty for most",
        ),
        sa.Column(
            "from_on", sa.Date(), nullable=False, comment="first local day that it is said of"
        ),
        sa.Column(
            "through_on",
            sa.Date(),
            nullable=True,
            comment="last local day; null until something else is said",
        ),
        sa.Column(
            "value", sa.Integer(), nullable=False, comment="0 or 1, or the place of the choice"
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="who says so, in which document"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_by", sa.Uuid(), nullable=True, comment="null for the operator's command line"
        ),
        sa.PrimaryKeyConstraint(
            "book_id",
            "volunteer_id",
            "fact",
            "detail",
            "from_on",
            "recorded_at",
            name=op.f("pk_attestation"),
        ),
        sa.CheckConstraint("value >= 0", name=op.f("ck_attestation_value")),
        sa.CheckConstraint("through_on >= from_on", name=op.f("ck_attestation_days")),
        comment="What other offices say, with day and source; of one day the newest counts."
        " Never changed; deleted with the person.",
    )
    op.execute("grant select, insert, delete on attestation to timebank_app")
