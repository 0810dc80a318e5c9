"""Where each division's tile lies on the tile map: by compass where we know, else in code order."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import ceil, sqrt


@dataclass(frozen=True, slots=True)
class TileLayout:
    """A grid of tiles.

    Attributes:
        places: Column from the west and row from the north of each division, by code.
        is_compass: The places follow where divisions lie; else they follow the codes.
    """

    places: dict[int, tuple[int, int]]
    columns: int
    rows: int
    is_compass: bool


def place_tiles(codes: Sequence[int]) -> TileLayout | None:
    """Return a place for each division, or None where there are none.

    The compass is used only when it is known for all of them: a map that is right for some and
    arbitrary for others would lie.
    """
    if not codes:
        return None
    known = _compass()
    if all(code in known for code in codes):
        places = {code: known[code] for code in codes}
        is_compass = True
    else:
        width = ceil(sqrt(len(codes)))
        places = {code: (at % width, at // width) for at, code in enumerate(sorted(codes))}
        is_compass = False
    return TileLayout(
        places=places,
        columns=1 + max(column for column, _ in places.values()),
        rows=1 + max(row for _, row in places.values()),
        is_compass=is_compass,
    )


@cache
def _compass() -> dict[int, tuple[int, int]]:
    with (files("timebank.data") / "tiles.csv").open(encoding="utf-8") as file:
        return {
            int(row["code"]): (int(row["column"]), int(row["row"])) for row in csv.DictReader(file)
        }
