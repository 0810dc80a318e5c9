"""Packs that a county writes, and what was done with them."""

from sqlalchemy import Column, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

pack_draft = Table(
    "pack_draft",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the files, hexadecimal"),
    Column(
        "pack_id", Text, nullable=False, comment="as its pack.toml says; empty while it does not"
    ),
    Column("title", Text, nullable=False),
    Column("files", LargeBinary, nullable=False, comment="names and texts, UTF-8 JSON"),
    Column(
        "follows", Text, comment="digest of the draft that it was made of; null for a first one"
    ),
    Column("saved_by", Uuid, nullable=False),
    instant("saved_at"),
    PrimaryKeyConstraint("book_id", "digest"),
    comment="Every state of a pack that an office saved. Append-only.",
)

pack_act = Table(
    "pack_act",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("act", Text, nullable=False, comment="submitted, enacted or sent_back"),
    Column("person", Uuid, nullable=False),
    Column("citation", Text, nullable=False, comment="on what grounds; why, when sent back"),
    instant("at"),
    PrimaryKeyConstraint("book_id", "digest", "act"),
    comment="What was done with a draft, by whom, on what grounds. Append-only.",
)
