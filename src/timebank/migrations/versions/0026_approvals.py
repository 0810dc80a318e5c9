"""How many people must agree to a grant.

Lock: `entitlement` for a moment; the default is kept beside the rows, none rewritten.
Way back: drop the column; money still needs two people.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column(
        "entitlement",
        sa.Column(
            "approvals",
            sa.SmallInteger(),
            server_default="1",
            nullable=False,
            comment="how many people must agree, who proposed it included: 1, or 2 as for money",
        ),
    )
