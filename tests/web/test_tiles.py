"""The tile map puts no two regions on one square and says honestly what a colour means."""

import pytest

from timebank.web.tiles import step_bounds, step_width, tile_places, tile_step

HAIYAN = [330424000000 + town * 1000 for town in (1, 2, 4, 5, 101, 102, 103, 105, 106)]


@pytest.mark.parametrize("codes", [HAIYAN, [330421000000 + n for n in range(11)], []])
def test_every_region_has_its_own_square(codes: list[int]) -> None:
    places = tile_places(codes)
    assert len(places) == len(set(places)) == len(codes)


def test_neighbours_stand_side_by_side() -> None:
    places = dict(zip(HAIYAN, tile_places(HAIYAN), strict=True))
    column, row = places[330424103000]
    assert places[330424101000] == (column, row - 1)
    assert places[330424001000] == (column + 1, row)
    assert places[330424106000] == (column, row + 1)


@pytest.mark.parametrize(("highest", "width"), [(0, 1), (4, 1), (5, 2), (2160, 500), (2500, 1000)])
def test_five_round_steps_reach_the_highest(highest: int, width: int) -> None:
    assert step_width(highest) == width
    assert step_bounds(width)[-1][1] >= highest


def test_steps_follow_the_legend() -> None:
    assert [tile_step(rate, width=500) for rate in (None, 0, 499, 500, 2160, 9000)] == [
        0,
        1,
        1,
        2,
        5,
        5,
    ]
    assert step_bounds(500)[1] == (500, 999)
