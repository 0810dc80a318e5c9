"""What becomes of a forgotten departure, published with each activity.

Lock: `activity` for a moment; the default is kept beside the rows, none is rewritten.
Way back: drop the column; what was credited stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column(
        "activity",
        sa.Column(
            "forgotten",
            sa.Text(),
            server_default="zero",
            nullable=False,
            comment="what becomes of who never scanned out: zero, end_of_shift, review",
        ),
    )
