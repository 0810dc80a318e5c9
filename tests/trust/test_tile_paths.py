"""Each tile has one path, and no other text names one."""

import pytest

from timebank.trust import tile


@pytest.mark.parametrize("number", [0, 1, 999, 1_000, 1_234_067])
@pytest.mark.parametrize("width", [1, 255, 256])
def test_a_path_is_read_as_it_is_written(number: int, width: int) -> None:
    written = tile.Tile(2, number, width).path.removeprefix("tile/")
    assert tile.read_path(written) == tile.Wanted(2, number, width)
    entries = tile.entries_path(number, width).removeprefix("tile/")
    assert tile.read_path(entries) == tile.Wanted(None, number, width)


@pytest.mark.parametrize(
    "path",
    ["", "0", "0/", "0/1", "0/0001", "0/x000/001", "0/001.p/256", "0/001.p/0", "0/001.p/07", "0/001\n",
     "64/000", "-1/000", "entries/1", "0/../000", "0/٠٠١", "0/001.p/", "00/001", "0/X001/001"],
)  # fmt: skip
def test_nothing_else_is_a_path(path: str) -> None:
    assert tile.read_path(path) is None
