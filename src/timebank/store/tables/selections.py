"""Lists that are drawn from or voted on, and what came of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

selection = Table(
    "selection",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("mode", Text, nullable=False, comment="lottery or panel"),
    Column("pack", Text, nullable=False),
    Column("pack_hash", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("period", Text, nullable=False, comment="the period key, such as lifetime or 2024"),
    Column("run", BigInteger, nullable=False, comment="the run that fixed the list"),
    Column("as_of", BigInteger, nullable=False, comment="entries 1 to as_of were known"),
    Column("decided_on", Date, nullable=False, comment="local day whose rules and facts counted"),
    Column("root", Text, nullable=False, comment="root of the book at that entry, hexadecimal"),
    Column(
        "places",
        Text,
        nullable=False,
        comment="how many are given in each division, JSON; 0: together",
    ),
    instant(
        "ready_at",
        is_required=False,
        comment="lottery: from when on a checkpoint may be its seed; null for a panel",
    ),
    Column("digest", Text, nullable=False, comment="SHA-256 of the published list, hexadecimal"),
    instant("listed_at"),
    Column("listed_by", Uuid, comment="null for the operator's command line"),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "pack", "rule", "period"),
    CheckConstraint("(mode = 'lottery') = (ready_at is not null)", name="ready_at"),
    comment="A list that was fixed, to be drawn from or voted on. Insert and select only.",
)

selection_lot = Table(
    "selection_lot",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("selection", BigInteger, nullable=False),
    Column("lot", Integer, nullable=False, comment="numbered from 1 within the list"),
    Column("volunteer", BigInteger, nullable=False),
    Column("division", BigInteger, nullable=False, comment="division code; 0: all together"),
    Column("secret", Text, nullable=False, comment="opens the commitment; the volunteer's own"),
    Column("commitment", Text, nullable=False, comment="what stands for the volunteer, published"),
    Column("reasons", Text, nullable=False, comment="why they are on it, one per leaf, JSON"),
    PrimaryKeyConstraint("book_id", "selection", "lot"),
    UniqueConstraint("book_id", "volunteer", "selection"),
    comment="Who is on a list. Insert and select only.",
)

selection_act = Table(
    "selection_act",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("selection", BigInteger, nullable=False),
    Column("act", Text, nullable=False, comment="convened or decided"),
    Column("person", Uuid, comment="null for a program"),
    instant("at"),
    instant("closes_at", is_required=False, comment="convened: until when votes count"),
    Column("seed", Text, comment="decided, lottery: root of the checkpoint, hexadecimal"),
    Column("seed_size", BigInteger, comment="decided, lottery: entries under the checkpoint"),
    PrimaryKeyConstraint("book_id", "selection", "act"),
    comment="What was done with a list, by whom. Insert and select only.",
)

selection_member = Table(
    "selection_member",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("selection", BigInteger, nullable=False),
    Column("member", Uuid, nullable=False),
    PrimaryKeyConstraint("book_id", "selection", "member"),
    comment="Who sits on the panel of a list. Insert and select only.",
)

selection_tie = Table(
    "selection_tie",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("selection", BigInteger, nullable=False),
    Column("member", Uuid, nullable=False),
    Column("lot", Integer, nullable=False),
    Column("tie", Text, nullable=False, comment="self, helper, organization"),
    PrimaryKeyConstraint("book_id", "selection", "member", "lot"),
    comment="On whom a member may not vote, as it was when they met. Insert and select only.",
)

selection_vote = Table(
    "selection_vote",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("selection", BigInteger, nullable=False),
    Column("number", Integer, nullable=False, comment="numbered from 1 within the list"),
    Column("member", Uuid, nullable=False),
    Column("lot", Integer, nullable=False),
    Column("choice", Text, nullable=False, comment="for, against, aside"),
    Column("note", Text, nullable=False, comment="why, in the member's words; may be empty"),
    instant("at"),
    PrimaryKeyConstraint("book_id", "selection", "number"),
    comment="Every vote that was cast; of a member and lot the newest holds. Insert and select.",
)

selection_result = Table(
    "selection_result",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("selection", BigInteger, nullable=False),
    Column("lot", Integer, nullable=False),
    Column("place", Integer, nullable=False, comment="within its division; 0: not voted for"),
    Column("outcome", Text, nullable=False, comment="chosen, not_chosen, passed_over"),
    Column("votes_for", Integer, nullable=False),
    Column("votes_against", Integer, nullable=False),
    Column("entitled", Integer, nullable=False, comment="members who could vote on it"),
    PrimaryKeyConstraint("book_id", "selection", "lot"),
    comment="What became of every lot. Insert and select only.",
)
