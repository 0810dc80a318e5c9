"""Stations where service is offered: their tiers, and what is counted of them."""

from enum import StrEnum


class Tier(StrEnum):
    """How high a station stands."""

    CENTER = "center"
    """Of a county or district."""
    STATION = "station"
    """Of a town or street."""
    ROOM = "room"
    """Of a village or community."""


class Figure(StrEnum):
    """What is counted of a station on a day; counts only, and nobody's name."""

    WORKERS = "workers"
    """People employed there."""
    CERTIFIED = "certified"
    """Those of them with a social work certificate."""
    PEOPLE_IN_NEED = "people_in_need"
    """People on its register of those who need help."""
    PEOPLE_SERVED = "people_served"
    """People whom its workers are responsible for."""
    VOLUNTEERS = "volunteers"
    """Volunteers on its register."""
    ENTERPRISES = "enterprises"
    """Enterprises on its register of those who help."""
