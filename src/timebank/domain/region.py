"""Administrative divisions and their 12-digit codes.

Source: GB/T 2260 (province, city, county: six digits) and GB/T 10114 (town: three, village: three).
"""

from enum import StrEnum


class Level(StrEnum):
    """How high a division stands, highest first."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"


_TAIL_MAX = {
    Level.VILLAGE: 1,
    Level.TOWN: 1_000,
    Level.COUNTY: 1_000_000,
    Level.CITY: 100_000_000,
    Level.PROVINCE: 10_000_000_000,
}
"""How many codes one division of each level spans."""


def parse_code(text: str) -> int:
    """Return the 12-digit code that a shorter or full code names, such as 330424 → 330424000000.

    Raises:
        ValueError: The text is not 2 to 12 digits of a division code.
    """
    if not (text.isascii() and text.isdigit() and len(text) in (2, 4, 6, 9, 12)) or text[0] == "0":
        raise ValueError("not a division code")
    return int(text.ljust(12, "0"))


def level_of(code: int) -> Level:
    """Return the level that a code's trailing zeros tell."""
    for level in (Level.PROVINCE, Level.CITY, Level.COUNTY, Level.TOWN):
        if code % _TAIL_MAX[level] == 0:
            return level
    return Level.VILLAGE


def subtree(code: int) -> range:
    """Return the codes of a division and of everything below it."""
    return range(code, code + _TAIL_MAX[level_of(code)])


def span(level: Level) -> int:
    """Return how many codes a division of a level spans."""
    return _TAIL_MAX[level]


def enclosing(code: int, level: Level) -> int:
    """Return the division of a level that a division lies in, or is.

    A division above that level is returned as it stands: nothing says in which one below it.
    """
    return code // _TAIL_MAX[level] * _TAIL_MAX[level]


def county_of(code: int) -> int:
    """Return the six-digit county code, which is also the number of the county's book."""
    return code // 1_000_000


def county_code(book: int) -> int:
    """Return the division code of the county whose book it is."""
    return book * 1_000_000
