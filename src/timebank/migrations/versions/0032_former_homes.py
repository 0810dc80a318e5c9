"""Homes and absences that were told otherwise later: reports of an earlier state need them.

Lock: none; the tables are new.
Way back: drop the two tables; a report of an earlier state then counts the homes told last.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "residence_former",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "number", sa.BigInteger(), nullable=False, comment="of the change, within the book"
        ),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null: with the enrolment",
        ),
        sa.Column(
            "replaced_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when another home of the same day took its place",
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "number", name=op.f("pk_residence_former")
        ),
        comment="Homes that were told otherwise later, for reports of an earlier state. Append-only.",
    )
    op.create_table(
        "absence",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "number", sa.BigInteger(), nullable=False, comment="of the change, within the book"
        ),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the volunteer left this book",
        ),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "volunteer_id", "number", name=op.f("pk_absence")),
        comment="Times away of who came back, for reports of an earlier state. Append-only.",
    )
    op.execute("grant select, insert on residence_former, absence to timebank_app")
