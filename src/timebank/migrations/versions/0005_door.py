"""The organizer at the door: head counts, meeting points, and how often short codes were tried.

Lock: none; the tables are new.
Way back: drop the three tables; nothing else refers to them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "head_count",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the organizing county's book"),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_by", sa.Uuid(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False, comment="people the organizer saw"),
        sa.Column(
            "present",
            sa.Integer(),
            nullable=False,
            comment="arrivals without departure at that time",
        ),
        sa.PrimaryKeyConstraint("book_id", "shift_id", "counted_at", name=op.f("pk_head_count")),
        comment="Spot checks: how many were there, and how many had checked in. Append-only.",
    )
    op.create_table(
        "meeting_point",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False, comment="degrees, WGS 84"),
        sa.Column("longitude", sa.Double(), nullable=False, comment="degrees, WGS 84"),
        sa.Column("radius", sa.Integer(), nullable=False, comment="metres"),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("latitude between -90 and 90", name=op.f("ck_meeting_point_latitude")),
        sa.CheckConstraint(
            "longitude between -180 and 180", name=op.f("ck_meeting_point_longitude")
        ),
        sa.CheckConstraint("radius > 0", name=op.f("ck_meeting_point_radius")),
        sa.PrimaryKeyConstraint("book_id", "activity_id", name=op.f("pk_meeting_point")),
        comment="A place of work, never of a person: phones compare with it and tell yes or no.",
    )
    op.create_table(
        "code_try",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "counted_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first of the wrong short codes counted in `tries`",
        ),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "volunteer_id", name=op.f("pk_code_try")),
        comment="Wrong short codes of a volunteer, so that nobody tries them all.",
    )
    op.execute("grant select, insert on head_count to timebank_app")
    for table in ("meeting_point", "code_try"):
        op.execute(f"grant select, insert, update, delete on {table} to timebank_app")
