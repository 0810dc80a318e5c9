"""How a tree is cut into tiles of 256 hashes, and where each lies.

A tile of level 0 holds 256 leaf hashes, one of level n the roots of 256 tiles of level n - 1. A
full tile never changes. The last of each level is partial; its width is part of its name.

Source: C2SP tlog-tiles, sections "Merkle Tree" and "Log Entries".
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from timebank.trust import merkle

LEVEL_HEIGHT = 8
"""How many levels of the tree a tile spans."""

WIDTH = 1 << LEVEL_HEIGHT
"""Hashes of a full tile."""


class Tile(NamedTuple):
    """Hashes `number * 256` to `number * 256 + width` of a level.

    Attributes:
        width: 256 for a full tile, less for the last of its level.
    """

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the log's address."""
        return f"tile/{self.level}/{_numbered(self.number, self.width)}"


def entries_path(number: int, width: int) -> str:
    """Return where the leaves of a tile of level 0 lie below the log's address."""
    return f"tile/entries/{_numbered(number, width)}"


class Wanted(NamedTuple):
    """What a path below `tile/` names.

    Attributes:
        level: None for a bundle of leaves.
    """

    level: int | None
    number: int
    width: int


def read_path(path: str) -> Wanted | None:
    """Return what a path below `tile/` names, such as `0/x001/067.p/8`, or None for nothing."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    number = int(found["number"].replace("x", "").replace("/", ""))
    width = int(found["width"] or WIDTH)
    level = None if found["level"] == "entries" else int(found["level"])
    wanted = Wanted(level, number, width)
    # Each has one path, and no other.
    return wanted if path == f"{found['level']}/{_numbered(number, width)}" else None


_PATH = re.compile(
    r"(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


def bundle_of(leaves: Sequence[bytes]) -> bytes:
    """Return leaves as an entry bundle holds them: each after its length in two bytes."""
    return b"".join(len(each).to_bytes(2, "big") + each for each in leaves)


def tiles_of(size: int) -> list[Tile]:
    """Return every tile of a tree, level by level. Shape: none for a tree without leaves."""
    tiles: list[Tile] = []
    level, count = 0, size
    while count:
        tiles += [Tile(level, number) for number in range(count // WIDTH)]
        if count % WIDTH:
            tiles.append(Tile(level, count // WIDTH, count % WIDTH))
        level, count = level + 1, count // WIDTH
    return tiles


def tile_holding(node: merkle.Node, *, size: int) -> Tile:
    """Return the tile of a tree of `size` leaves from whose hashes a subtree's is made."""
    height, number = node
    level = height // LEVEL_HEIGHT
    found = (number << height % LEVEL_HEIGHT) // WIDTH
    hashes = (size >> level * LEVEL_HEIGHT) - found * WIDTH
    return Tile(level, found, min(WIDTH, hashes))


def hash_in(hashes: bytes, node: merkle.Node) -> bytes:
    """Return a subtree's hash from the hashes of the tile that holds it.

    Raises:
        ValueError: The tile is too narrow.
    """
    height, number = node
    rise = height % LEVEL_HEIGHT
    start = (number << rise) % WIDTH
    parts = merkle.split(hashes)[start : start + (1 << rise)]
    if len(parts) != 1 << rise:
        raise ValueError("the tile does not hold the subtree")
    return merkle.root_of(merkle.extend(b"", 0, parts))


class Filled(NamedTuple):
    """A tile that became full, with its hashes and the root over them."""

    tile: Tile
    hashes: list[bytes]
    root: bytes


class Growth:
    """A tree that grows leaf by leaf and hands out each tile as it becomes full.

    Args:
        size: How many leaves it begins with.
        partial: The hashes of the partial tile of each level at that size, from level 0; a level
            that has none is an empty list.
    """

    def __init__(self, size: int = 0, partial: Sequence[Sequence[bytes]] = ()) -> None:
        self.size = size
        self.partial = [list(each) for each in partial]
        rest = size
        for level in self.partial:
            if len(level) != rest % WIDTH:
                raise ValueError("the partial tiles are not those of a tree of this size")
            rest //= WIDTH
        if rest:
            raise ValueError("a level of the tree is missing")

    def add(self, hashes: Sequence[bytes]) -> list[Filled]:
        """Append leaves with these hashes. Shape: the tiles that became full, in that order."""
        filled: list[Filled] = []
        done = 0
        while done < len(hashes):
            room = WIDTH - self.size % WIDTH
            part = hashes[done : done + room]
            done += len(part)
            self.size += len(part)
            self._append(0, part, filled)
        return filled

    def _append(self, level: int, hashes: Sequence[bytes], filled: list[Filled]) -> None:
        if level == len(self.partial):
            self.partial.append([])
        held = self.partial[level]
        held += hashes
        if len(held) == WIDTH:
            root = merkle.root_of(merkle.extend(b"", 0, held))
            number = (self.size >> LEVEL_HEIGHT * (level + 1)) - 1
            filled.append(Filled(Tile(level, number), held, root))
            self.partial[level] = []
            self._append(level + 1, [root], filled)

    @property
    def edge(self) -> bytes:
        """The right edge of the tree."""
        return b"".join(merkle.extend(b"", 0, each) for each in reversed(self.partial))

    @property
    def partial_tiles(self) -> list[tuple[Tile, list[bytes]]]:
        """The partial tile of each level that has one, with its hashes."""
        return [
            (Tile(level, self.size >> LEVEL_HEIGHT * (level + 1), len(held)), held)
            for level, held in enumerate(self.partial)
            if held
        ]


def _numbered(number: int, width: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < WIDTH else "")
