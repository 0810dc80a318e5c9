"""Codes sent to phones, and who is signed in."""

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("phone_mac", LargeBinary, primary_key=True),
    Column("code_mac", LargeBinary, nullable=False, comment="keyed hash of the six digits"),
    instant("sent_at"),
    instant("expires_at"),
    Column("tries", SmallInteger, nullable=False, comment="wrong answers to codes not yet expired"),
    instant("counted_from", comment="first of the codes counted in `codes`"),
    Column("codes", SmallInteger, nullable=False, comment="codes sent since counted_from"),
    comment="The newest sign-in code of a phone number.",
)

sign_in = Table(
    "sign_in",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the cookie's token"),
    Column("person_id", Uuid, nullable=False),
    instant("signed_in_at"),
    instant("expires_at"),
    instant("ended_at", is_required=False),
    Index("ix_sign_in_person_id", "person_id"),
)
