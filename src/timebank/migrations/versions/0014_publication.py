"""Reports that were frozen, their files, and notes on charts.

Lock: none; the tables are new.
Way back: drop the three tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "publication",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="given once in the book, without gaps"
        ),
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="the days counted, such as `2024`"),
        sa.Column(
            "definition", sa.Text(), nullable=False, comment="the stable name of the definition"
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="entries 1 to seq were counted"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="the canonical form itself"),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of the content, hexadecimal"
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "published_by",
            sa.Uuid(),
            nullable=True,
            comment="null for the operator's command line",
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_publication_number")),
        sa.PrimaryKeyConstraint("book_id", "number", name=op.f("pk_publication")),
        comment="Reports that were frozen at an entry. Append-only: a correction is a later number.",
    )
    op.create_index(
        "ix_publication_book_id_region_period",
        "publication",
        ["book_id", "region", "period"],
        unique=False,
    )
    op.create_table(
        "publication_file",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="the publication in the book"),
        sa.Column("format", sa.Text(), nullable=False, comment="`pdf` or `xlsx`"),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="the file as it was first handed out",
        ),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of the content, hexadecimal"
        ),
        sa.CheckConstraint("format in ('pdf', 'xlsx')", name=op.f("ck_publication_file_format")),
        sa.PrimaryKeyConstraint("book_id", "number", "format", name=op.f("pk_publication_file")),
        comment="The files of publications, made once and kept. Append-only.",
    )
    op.create_table(
        "annotation",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column(
            "on_day", sa.Date(), nullable=False, comment="the day of the chart that it speaks of"
        ),
        sa.Column(
            "text",
            sa.Text(),
            nullable=False,
            comment="empty: it takes back the one that it replaces",
        ),
        sa.Column(
            "replaces",
            sa.Uuid(),
            nullable=True,
            comment="the annotation that this one stands in the place of",
        ),
        sa.Column("written_by", sa.Uuid(), nullable=False, comment="the person"),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_annotation")),
        comment="What the office noted beside a day of a chart. Append-only: a change is another row.",
    )
    op.create_index(
        "ix_annotation_book_id_region_on_day",
        "annotation",
        ["book_id", "region", "on_day"],
        unique=False,
    )
    for table in ("annotation", "publication", "publication_file"):
        op.execute(f"grant select, insert on {table} to timebank_app")
