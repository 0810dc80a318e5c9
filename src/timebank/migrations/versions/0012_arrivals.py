"""Finds where a person was about a time, so that nobody is in two shifts at once.

Lock: `attendance` against writes while the index is built, about a second for each million of stays.
Way back: drop the index; the answer stays the same, only slower.
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index(
        "ix_attendance_arrivals",
        "attendance",
        ["book_id", "volunteer_id", "arrived_at"],
        unique=False,
    )
