"""Stations where service is offered, and what is counted of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from timebank.db import metadata
from timebank.store.tables.columns import instant

station = Table(
    "station",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("name", Text, nullable=False),
    Column("tier", Text, nullable=False, comment="center, station, room"),
    Column("region", BigInteger, nullable=False),
    Column("opened_on", Date, nullable=False, comment="first local day"),
    Column("closed_on", Date, comment="first local day without it; null while it is open"),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "name"),
    CheckConstraint("opened_on < closed_on", name="days"),
    comment="Service centers of a county, stations of a town, rooms of a community.",
)

station_figure = Table(
    "station_figure",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("station_id", BigInteger, nullable=False, comment="number of a station"),
    Column(
        "figure",
        Text,
        nullable=False,
        comment="workers, certified, people_in_need, people_served, volunteers, enterprises",
    ),
    Column("as_of", Date, nullable=False),
    Column("number", Integer, nullable=False, comment="from 1; the newest one counts"),
    Column("count", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    instant("recorded_at"),
    PrimaryKeyConstraint("book_id", "station_id", "figure", "as_of", "number"),
    ForeignKeyConstraint(["book_id", "station_id"], ["station.book_id", "station.id"]),
    CheckConstraint("count >= 0", name="count"),
    comment="Dated head counts of a station with their source. Nobody's name.",
)
