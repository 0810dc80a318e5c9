"""The registers that publications were counted over.

Lock: none; the table is new.
Way back: drop the table; publications that name a register could not be made again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "publication_register",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of the register, hexadecimal"
        ),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="each volunteer's division by number, packed; no names",
        ),
        sa.PrimaryKeyConstraint("book_id", "digest", name=op.f("pk_publication_register")),
        comment="Registers that publications were counted over, so that they can be made again. "
        "Append-only.",
    )
    op.execute("grant select, insert on publication_register to timebank_app")
