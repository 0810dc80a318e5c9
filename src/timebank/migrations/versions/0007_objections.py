"""Objections to records, their steps and texts.

Lock: none; the tables are new.
Way back: drop the three tables; what was corrected stays in the ledger with its reason.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "objection",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the entry that it is about"),
        sa.Column("reason", sa.Text(), nullable=False, comment="minutes, content, not_mine"),
        sa.Column(
            "minutes",
            sa.Integer(),
            nullable=True,
            comment="what the volunteer says is right; null: nothing said",
        ),
        sa.Column(
            "organization_book",
            sa.Integer(),
            nullable=True,
            comment="who answers first; null: the district of the book",
        ),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_objection")),
        comment="A volunteer says that a record is wrong. Insert and select only.",
    )
    op.create_index(
        "ix_objection_book_id_volunteer_id", "objection", ["book_id", "volunteer_id"], unique=False
    )
    op.create_index(
        "ix_objection_organization",
        "objection",
        ["organization_book", "organization_id"],
        unique=False,
    )
    op.create_table(
        "objection_step",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("objection_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "step",
            sa.SmallInteger(),
            nullable=False,
            comment="numbered from 1 within the objection",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="raised, corrected, taken_back, declined, appealed, upheld, dismissed",
        ),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "evidence",
            sa.Text(),
            nullable=True,
            comment="what proves an answer, such as the number of a sheet",
        ),
        sa.Column(
            "reversal",
            sa.BigInteger(),
            nullable=True,
            comment="the entry that it posted to take one back",
        ),
        sa.Column(
            "replacement",
            sa.BigInteger(),
            nullable=True,
            comment="the entry that it posted instead",
        ),
        sa.PrimaryKeyConstraint("book_id", "objection_id", "step", name=op.f("pk_objection_step")),
        comment="What happened in an objection, who did it and when. Insert and select only.",
    )
    op.create_table(
        "objection_text",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("objection_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column(
            "text_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="what they wrote, encrypted",
        ),
        sa.PrimaryKeyConstraint("book_id", "objection_id", "step", name=op.f("pk_objection_text")),
        comment="What people wrote in an objection: it can be erased, the steps stay.",
    )
    for table in ("objection", "objection_step"):
        op.execute(f"grant select, insert on {table} to timebank_app")
    op.execute("grant select, insert, delete on objection_text to timebank_app")
