"""Count of how often a book's secrets were erased, for those who remember some.

Lock: the table of books, for an instant; a column with a constant is not written into each row.
Way back: drop the column; nothing else is lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column(
        "book",
        sa.Column(
            "erasures",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="how often secrets of its accounts were erased",
        ),
    )
