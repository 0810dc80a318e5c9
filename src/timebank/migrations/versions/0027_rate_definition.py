"""What districts decided that a rate means.

Lock: none; the table is new.
Way back: drop the table; publications carry their own definition.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "rate_definition",
        sa.Column(
            "region",
            sa.BigInteger(),
            nullable=False,
            comment="division that it holds in, and below",
        ),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="the stable name: the division and a word"
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="all that it says, as JSON"),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of the content, hexadecimal"
        ),
        sa.Column(
            "decided_by",
            sa.Uuid(),
            nullable=True,
            comment="null for the operator's command line",
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("region", "name", "valid_from", name=op.f("pk_rate_definition")),
        comment="Definitions of rates that districts decided. Append-only: another value is another row "
        "with a later first day.",
    )
    op.execute("grant select, insert on rate_definition to timebank_app")
