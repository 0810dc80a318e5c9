"""The erasable store of who people are."""

from sqlalchemy import Column, Date, LargeBinary, Table, Uuid

from timebank.db import metadata
from timebank.store.tables.columns import instant

person = Table(
    "person",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "phone_mac",
        LargeBinary,
        unique=True,
        comment="keyed hash of the phone number; null after erasure or where none is known",
    ),
    Column("phone_sealed", LargeBinary, comment="phone number, encrypted"),
    Column("name_sealed", LargeBinary, comment="name, encrypted"),
    Column(
        "of_age_from",
        Date,
        comment="month after the eighteenth birthday; long ago for who said they are of age;"
        " null: not said",
    ),
    instant("created_at"),
    comment="The erasable store of who people are. The ledger never refers to it.",
)
