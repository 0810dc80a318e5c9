"""Who may act for whom."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

consent = Table(
    "consent",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("volunteer_id", BigInteger, nullable=False),
    Column("helper", Uuid, nullable=False, comment="the person who may act"),
    Column("may_sign_up", Boolean, nullable=False, comment="take and give back places"),
    Column("may_see_records", Boolean, nullable=False),
    Column("until_on", Date, nullable=False, comment="last local day"),
    Column("form", Text, nullable=False, comment="consent.own, consent.signed"),
    instant("given_at"),
    Column("recorded_by", Uuid, nullable=False),
    instant("revoked_at", is_required=False),
    Column("revoked_by", Uuid),
    PrimaryKeyConstraint("book_id", "id"),
    Index("ix_consent_book_id_volunteer_id", "book_id", "volunteer_id"),
    Index("ix_consent_helper", "helper"),
    comment="A volunteer's consent that somebody acts for them: what, until when, how given.",
)

helped_act = Table(
    "helped_act",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("consent_id", BigInteger, nullable=False),
    instant("at"),
    Column("act", Text, nullable=False, comment="sign_up, withdraw, look_up"),
    Column("shift_book", Integer),
    Column("shift_id", BigInteger),
    PrimaryKeyConstraint("book_id", "id"),
    Index("ix_helped_act_book_id_consent_id", "book_id", "consent_id"),
    comment="What helpers did for volunteers, for the volunteers to read. Insert and select only.",
)
