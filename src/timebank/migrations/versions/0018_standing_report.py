"""Reports that go out by themselves, and which of their periods went out.

Lock: none; the tables are new.
Way back: drop the two tables; reports must be set up again, and their last period goes out again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "standing_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("region", sa.BigInteger(), nullable=False, comment="division that it is of"),
        sa.Column("metrics", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False, comment="month, quarter, year"),
        sa.Column("form", sa.Text(), nullable=False, comment="csv, xlsx, json, parquet"),
        sa.Column("way", sa.Text(), nullable=False, comment="mail, webhook"),
        sa.Column(
            "address_sealed", sa.LargeBinary(), nullable=False, comment="where to, encrypted"
        ),
        sa.Column(
            "key_sealed", sa.LargeBinary(), nullable=False, comment="what signs it, encrypted"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_report")),
        comment="Reports that go out by themselves, each period once.",
    )
    op.create_table(
        "report_delivery",
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False, comment="the period, such as 2024-03"),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="not tried before this",
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "failed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was given up",
        ),
        sa.Column(
            "note",
            sa.Text(),
            nullable=False,
            comment="what the other side said last; may be empty",
        ),
        sa.PrimaryKeyConstraint("report", "window", name=op.f("pk_report_delivery")),
        comment="One period of a standing report: whether it went out.",
    )
    op.execute("grant select, insert, update on standing_report, report_delivery to timebank_app")
