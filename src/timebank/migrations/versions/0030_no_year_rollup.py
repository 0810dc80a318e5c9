"""One roll-up is enough: a year is the sum of its months.

Lock: access exclusive on a table that this release does not use; a server of the release before
cannot post any more.
Way back: make the table as 0001 does and fill it with the sums of `volunteer_month` by year.
"""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.drop_table("volunteer_year")
