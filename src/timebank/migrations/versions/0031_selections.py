"""Lists that are drawn from or voted on, and what came of them.

Lock: `notice` for a moment, to know one more kind; the other tables are new.
Way back: drop the seven tables; notices of the kind 5 stay readable, delete nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_notice_kind"), "notice", type_="check")
    op.create_check_constraint(op.f("ck_notice_kind"), "notice", "kind between 2 and 5")
    op.alter_column("notice", "kind", comment="2 pack, 3 key, 4 erasure, 5 list")
    op.create_table_comment(
        "notice",
        "Rules that came into force, keys that changed, secrets that were erased, lists that were"
        " fixed. Append-only.",
    )
    op.create_table(
        "selection",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("mode", sa.Text(), nullable=False, comment="lottery or panel"),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("pack_hash", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column(
            "period", sa.Text(), nullable=False, comment="the period key, such as lifetime or 2024"
        ),
        sa.Column("run", sa.BigInteger(), nullable=False, comment="the run that fixed the list"),
        sa.Column(
            "as_of", sa.BigInteger(), nullable=False, comment="entries 1 to as_of were known"
        ),
        sa.Column(
            "decided_on",
            sa.Date(),
            nullable=False,
            comment="local day whose rules and facts counted",
        ),
        sa.Column(
            "root", sa.Text(), nullable=False, comment="root of the book at that entry, hexadecimal"
        ),
        sa.Column(
            "places",
            sa.Text(),
            nullable=False,
            comment="how many are given in each division, JSON; 0: together",
        ),
        sa.Column(
            "ready_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="lottery: from when on a checkpoint may be its seed; null for a panel",
        ),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the published list, hexadecimal",
        ),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "listed_by", sa.Uuid(), nullable=True, comment="null for the operator's command line"
        ),
        sa.CheckConstraint(
            "(mode = 'lottery') = (ready_at is not null)", name=op.f("ck_selection_ready_at")
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_selection")),
        sa.UniqueConstraint(
            "book_id", "pack", "rule", "period", name=op.f("uq_selection_book_id_pack_rule_period")
        ),
        comment="A list that was fixed, to be drawn from or voted on. Insert and select only.",
    )
    op.create_table(
        "selection_lot",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.BigInteger(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False, comment="numbered from 1 within the list"),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column(
            "division", sa.BigInteger(), nullable=False, comment="division code; 0: all together"
        ),
        sa.Column(
            "secret", sa.Text(), nullable=False, comment="opens the commitment; the volunteer's own"
        ),
        sa.Column(
            "commitment",
            sa.Text(),
            nullable=False,
            comment="what stands for the volunteer, published",
        ),
        sa.Column(
            "reasons", sa.Text(), nullable=False, comment="why they are on it, one per leaf, JSON"
        ),
        sa.PrimaryKeyConstraint("book_id", "selection", "lot", name=op.f("pk_selection_lot")),
        sa.UniqueConstraint(
            "book_id",
            "volunteer",
            "selection",
            name=op.f("uq_selection_lot_book_id_volunteer_selection"),
        ),
        comment="Who is on a list. Insert and select only.",
    )
    op.create_table(
        "selection_act",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False, comment="convened or decided"),
        sa.Column("person", sa.Uuid(), nullable=True, comment="null for a program"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "closes_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="convened: until when votes count",
        ),
        sa.Column(
            "seed",
            sa.Text(),
            nullable=True,
            comment="decided, lottery: root of the checkpoint, hexadecimal",
        ),
        sa.Column(
            "seed_size",
            sa.BigInteger(),
            nullable=True,
            comment="decided, lottery: entries under the checkpoint",
        ),
        sa.PrimaryKeyConstraint("book_id", "selection", "act", name=op.f("pk_selection_act")),
        comment="What was done with a list, by whom. Insert and select only.",
    )
    op.create_table(
        "selection_member",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "selection", "member", name=op.f("pk_selection_member")),
        comment="Who sits on the panel of a list. Insert and select only.",
    )
    op.create_table(
        "selection_tie",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("tie", sa.Text(), nullable=False, comment="self, helper, organization"),
        sa.PrimaryKeyConstraint(
            "book_id", "selection", "member", "lot", name=op.f("pk_selection_tie")
        ),
        comment="On whom a member may not vote, as it was when they met. Insert and select only.",
    )
    op.create_table(
        "selection_vote",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.BigInteger(), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="numbered from 1 within the list"
        ),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False, comment="for, against, aside"),
        sa.Column(
            "note", sa.Text(), nullable=False, comment="why, in the member's words; may be empty"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "selection", "number", name=op.f("pk_selection_vote")),
        comment="Every vote that was cast; of a member and lot the newest holds. Insert and select.",
    )
    op.create_table(
        "selection_result",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("selection", sa.BigInteger(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column(
            "place", sa.Integer(), nullable=False, comment="within its division; 0: not voted for"
        ),
        sa.Column("outcome", sa.Text(), nullable=False, comment="chosen, not_chosen, passed_over"),
        sa.Column("votes_for", sa.Integer(), nullable=False),
        sa.Column("votes_against", sa.Integer(), nullable=False),
        sa.Column("entitled", sa.Integer(), nullable=False, comment="members who could vote on it"),
        sa.PrimaryKeyConstraint("book_id", "selection", "lot", name=op.f("pk_selection_result")),
        comment="What became of every lot. Insert and select only.",
    )

    op.execute(
        "grant select, insert on selection, selection_lot, selection_act, selection_member,"
        " selection_tie, selection_vote, selection_result to timebank_app"
    )
