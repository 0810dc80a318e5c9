"""Where an activity meets: a place of work, which phones compare themselves with.

The comparison is made on the phone (`device.js`); only its answer travels, and an answer of "here"
raises nothing. Source: PIPL, articles 6 and 28: whereabouts are collected no further than needed.
"""

from dataclasses import dataclass

RADIUS_METRES = 300
"""How far from the point still counts as there: a park, and a cheap phone's error."""


@dataclass(frozen=True, slots=True)
class MeetingPoint:
    """A point in WGS 84 degrees, and the metres around it.

    Raises:
        ValueError: It lies nowhere on earth, or has no extent.
    """

    latitude: float
    longitude: float
    radius: int = RADIUS_METRES

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180 and self.radius > 0):
            raise ValueError("no point on earth")


def parse_point(latitude: str, longitude: str) -> MeetingPoint | None:
    """Return the point that a browser sends, or None where it is none."""
    try:
        return MeetingPoint(float(latitude), float(longitude))
    except ValueError:
        return None
