"""What number of places a shift can be given after it was published."""

from dataclasses import dataclass
from enum import StrEnum

from timebank.domain.activity import PLACES_MAX
from timebank.domain.actor import VolunteerId


class PlacesRefusal(StrEnum):
    """Why the number stays, in order of precedence."""

    CANCELLED = "places.cancelled"
    OVER = "places.over"
    NUMBER = "places.number"
    TAKEN = "places.taken"


@dataclass(frozen=True, slots=True)
class PlacesChanged:
    """The shift has as many places.

    Attributes:
        promoted: Who waited and has one now, in the order of waiting.
    """

    promoted: tuple[VolunteerId, ...]


@dataclass(frozen=True, slots=True)
class PlacesRefused:
    """Nothing is written."""

    reason: PlacesRefusal


def decide_places(
    places: int, *, taken: int, is_cancelled: bool, is_over: bool
) -> PlacesRefusal | None:
    """Return why a shift cannot have so many places, or None: nobody loses the one they hold."""
    if is_cancelled:
        return PlacesRefusal.CANCELLED
    if is_over:
        return PlacesRefusal.OVER
    if not 1 <= places <= PLACES_MAX:
        return PlacesRefusal.NUMBER
    if places < taken:
        return PlacesRefusal.TAKEN
    return None
