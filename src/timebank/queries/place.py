"""The names of a place: its own and that of the town it lies in."""

from sqlalchemy import BigInteger, ColumnElement

from timebank.store.tables import region

place = region.alias("place")
"""The division of a place, which is a village nearly always."""

town = region.alias("town")
"""The town around it; where the place is a town or more, the place itself."""

_TOWN_SPAN = 1_000


def is_place(code: "ColumnElement[int]") -> ColumnElement[bool]:
    """Join `place` by this."""
    return place.c.code == code


def is_town(code: "ColumnElement[int]") -> ColumnElement[bool]:
    """Join `town` by this."""
    return town.c.code == code - code.op("%", return_type=BigInteger())(_TOWN_SPAN)
