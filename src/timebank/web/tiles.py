"""The tile map: where each region's square stands, and which of five colours its rate has.

A tile map shows places that a reader knows by their neighbours, at equal size, so that a large
empty town does not outshine a small busy one. It claims direction, not distance and not borders.
"""

from collections.abc import Sequence

_HAIYAN = {
    330424101000: (1, 0),
    330424005000: (2, 0),
    330424002000: (3, 0),
    330424102000: (0, 1),
    330424103000: (1, 1),
    330424001000: (2, 1),
    330424106000: (1, 2),
    330424004000: (2, 2),
    330424105000: (1, 3),
}
"""Haiyan's nine towns, `(column, row)` from the north-west.

Source: published descriptions of the towns' neighbours: Yucheng touches Shendang in the north,
Baibu in the north-west, Wuyuan in the east, Tongyuan in the south; Tongyuan touches Qinshan in the
east and Ganpu in the south; Ganpu touches Qinshan in the north-east.
"""

COLUMNS = 4
"""How many tiles stand side by side where nobody has drawn a map: they fit a hand's width."""

STEPS = 5
"""Colours of the map: more cannot be told apart on a projector."""


def tile_places(codes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the `(column, row)` of each region.

    Shape: in the order of the codes. Where not every region is on a drawn map, they stand in
        rows of `COLUMNS`.
    """
    if codes and all(code in _HAIYAN for code in codes):
        return [_HAIYAN[code] for code in codes]
    return [(index % COLUMNS, index // COLUMNS) for index in range(len(codes))]


def step_width(rate_max: int) -> int:
    """Return how many per ten thousand one colour covers, so that five colours reach the highest.

    Units: per ten thousand; one, two or five times a power of ten, so that a legend can be read.
    """
    width = 1
    while True:
        for factor in (1, 2, 5):
            if width * factor * STEPS > rate_max:
                return width * factor
        width *= 10


def tile_step(rate: int | None, *, width: int) -> int:
    """Return the colour of a rate, 1 to 5, or 0 when it is not known."""
    return 0 if rate is None else min(STEPS, rate // width + 1)


def step_bounds(width: int) -> list[tuple[int, int]]:
    """Return the lowest and highest rate of each colour, both included, palest first."""
    return [(step * width, (step + 1) * width - 1) for step in range(STEPS)]
