"""What reviewers decided about signals, and the samples that they drew.

Lock: none; the tables are new.
Way back: drop the three tables; what was reviewed and checked is lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "sample",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column(
            "region",
            sa.BigInteger(),
            nullable=False,
            comment="division whose services were drawn from",
        ),
        sa.Column("first_on", sa.Date(), nullable=False, comment="first local day of the period"),
        sa.Column("after_last_on", sa.Date(), nullable=False, comment="the day after the period"),
        sa.Column(
            "after_seq", sa.BigInteger(), nullable=False, comment="last entry before the period"
        ),
        sa.Column("until_seq", sa.BigInteger(), nullable=False, comment="last entry of the period"),
        sa.Column("seed", sa.Text(), nullable=False, comment="root of the checkpoint, hexadecimal"),
        sa.Column(
            "seed_size", sa.BigInteger(), nullable=False, comment="entries under the checkpoint"
        ),
        sa.Column("size", sa.Integer(), nullable=False, comment="entries that were asked for"),
        sa.Column(
            "flagged", sa.Text(), nullable=False, comment="organizations with an open signal, JSON"
        ),
        sa.Column("counts", sa.Text(), nullable=False, comment="entries of each stratum, JSON"),
        sa.Column("drawn_by", sa.Uuid(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null while it is being checked",
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_sample")),
        sa.UniqueConstraint(
            "book_id",
            "region",
            "first_on",
            "after_last_on",
            name=op.f("uq_sample_book_id_region_first_on_after_last_on"),
        ),
        comment="Entries drawn for a check; of a period and division once.",
    )
    op.create_table(
        "signal_review",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="code of the signal"),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="what it is about, by kind and number"
        ),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="dismissed, checking, corrected"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False, comment="counted when it was reviewed"),
        sa.Column("times", sa.Integer(), nullable=False, comment="counted when it was reviewed"),
        sa.Column(
            "minutes", sa.BigInteger(), nullable=False, comment="counted when it was reviewed"
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "kind", "subject", "reviewed_at", name=op.f("pk_signal_review")
        ),
        comment="What was decided about each signal; the newest holds. Insert and select only.",
    )
    op.create_table(
        "sample_item",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the entry"),
        sa.Column(
            "stratum", sa.Text(), nullable=False, comment="class of evidence; a plus: open signal"
        ),
        sa.Column(
            "result",
            sa.Text(),
            nullable=True,
            comment="true, wrong, unclear; null before the check",
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(result is null) = (checked_at is null)", name=op.f("ck_sample_item_check")
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "sample_id"],
            ["sample.book_id", "sample.id"],
            name=op.f("fk_sample_item_book_id_sample_id"),
        ),
        sa.PrimaryKeyConstraint("book_id", "sample_id", "seq", name=op.f("pk_sample_item")),
        comment="The drawn entries and what their check found.",
    )
    op.execute("grant select, insert on signal_review to timebank_app")
    op.execute("grant select, insert, update on sample, sample_item to timebank_app")
