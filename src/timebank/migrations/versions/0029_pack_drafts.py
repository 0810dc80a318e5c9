"""Packs that a county writes, and what was done with them.

Lock: none; the tables are new.
Way back: drop the two tables; what was enacted stays in `pack` and is evaluated no more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "pack_draft",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the files, hexadecimal"),
        sa.Column(
            "pack_id",
            sa.Text(),
            nullable=False,
            comment="as its pack.toml says; empty while it does not",
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False, comment="names and texts, UTF-8 JSON"),
        sa.Column(
            "follows",
            sa.Text(),
            nullable=True,
            comment="digest of the draft that it was made of; null for a first one",
        ),
        sa.Column("saved_by", sa.Uuid(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "digest", name=op.f("pk_pack_draft")),
        comment="Every state of a pack that an office saved. Append-only.",
    )
    op.create_table(
        "pack_act",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False, comment="submitted, enacted or sent_back"),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column(
            "citation", sa.Text(), nullable=False, comment="on what grounds; why, when sent back"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "digest", "act", name=op.f("pk_pack_act")),
        comment="What was done with a draft, by whom, on what grounds. Append-only.",
    )
    op.execute("grant select, insert on pack_draft, pack_act to timebank_app")
