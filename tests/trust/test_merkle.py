"""Roots and proofs agree with published vectors and with two trees that others wrote."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofbundle import merkle as proofbundle
from pymerkle import InmemoryTree
from pymerkle.proof import verify_consistency, verify_inclusion

from timebank.trust import merkle, tile

# Source: certificate-transparency's C++ test data, which the authors of RFC 6962 published with it.
LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOFS_IN_EIGHT = [
    # index | hashes, sibling first
    (0, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
         "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
         "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (5, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
         "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
]  # fmt: skip
CONSISTENCY = [
    # old, new | hashes
    (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
]  # fmt: skip


class Grown:
    """A tree that keeps every leaf hash, and the edge it had at every size."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.hashes = [merkle.leaf_hash(each) for each in leaves]
        self.edges = [b""]
        for size, each in enumerate(self.hashes):
            self.edges.append(merkle.extend(self.edges[-1], size, [each]))

    def root(self, size: int) -> bytes:
        return merkle.root_of(self.edges[size])

    def hash_of(self, node: merkle.Node) -> bytes:
        height, number = node
        part = self.hashes[number << height : (number + 1) << height]
        assert len(part) == 1 << height
        return merkle.root_of(merkle.extend(b"", 0, part))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return merkle.prove(merkle.inclusion_ranges(index, size), self.hash_of)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle.prove(merkle.consistency_ranges(old, new), self.hash_of)


def numbered(count: int) -> list[bytes]:
    return [f"leaf {number}".encode() for number in range(count)]


SIZE = 700
GROWN = Grown(numbered(SIZE))


@pytest.fixture(scope="module")
def others() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for each in numbered(SIZE):
        tree.append_entry(each)
    return tree


def test_published_roots() -> None:
    grown = Grown(LEAVES)
    assert [grown.root(size).hex() for size in range(1, 9)] == ROOTS
    assert grown.root(0) == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("index", "hashes"), PROOFS_IN_EIGHT)
def test_published_inclusion(index: int, hashes: list[str]) -> None:
    assert [each.hex() for each in Grown(LEAVES).inclusion(index, 8)] == hashes


@pytest.mark.parametrize(("old", "new", "hashes"), CONSISTENCY)
def test_published_consistency(old: int, new: int, hashes: list[str]) -> None:
    assert [each.hex() for each in Grown(LEAVES).consistency(old, new)] == hashes


@given(st.integers(0, 300), st.lists(st.integers(0, 300), max_size=8))
def test_an_edge_is_the_same_however_the_leaves_came(first: int, more: list[int]) -> None:
    size, edge = first, merkle.extend(b"", 0, GROWN.hashes[:first])
    for count in more:
        part = GROWN.hashes[size : size + count]
        edge = merkle.extend(edge, size, part)
        size += len(part)
    assert edge == GROWN.edges[size]


@settings(max_examples=200)
@given(st.data())
def test_inclusion_is_accepted_by_two_other_verifiers(
    others: InmemoryTree, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, SIZE))
    index = data.draw(st.integers(0, size - 1))
    proof, root = GROWN.inclusion(index, size), GROWN.root(size)

    assert root == others.get_root(size)
    theirs = others.prove_inclusion(index + 1, size)
    theirs.path = [GROWN.hashes[index], *proof]
    verify_inclusion(GROWN.hashes[index], root, theirs, index=index + 1, size=size)
    leaf = numbered(index + 1)[index]
    assert proofbundle.verify_inclusion(leaf, index, size, proof, root)
    assert merkle.is_included(GROWN.hashes[index], index=index, size=size, proof=proof, root=root)


@settings(max_examples=200)
@given(st.data())
def test_consistency_is_accepted_by_two_other_verifiers(
    others: InmemoryTree, data: st.DataObject
) -> None:
    new = data.draw(st.integers(1, SIZE))
    old = data.draw(st.integers(1, new))
    proof, roots = GROWN.consistency(old, new), (GROWN.root(old), GROWN.root(new))

    assert proofbundle.verify_consistency(old, new, proof, *roots)
    verify_consistency(*roots, others.prove_consistency(old, new), prior_size=old, later_size=new)
    assert merkle.is_consistent(old=old, new=new, old_root=roots[0], new_root=roots[1], proof=proof)


@settings(max_examples=200)
@given(st.data())
def test_one_flipped_bit_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, SIZE))
    index = data.draw(st.integers(0, size - 1))
    proof, leaf, root = GROWN.inclusion(index, size), GROWN.hashes[index], GROWN.root(size)
    parts = [leaf, root, *proof]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = flipped(parts[at], data.draw(st.integers(0, 255)))
    leaf, root, *proof = parts
    assert not merkle.is_included(leaf, index=index, size=size, proof=proof, root=root)

    old = data.draw(st.integers(1, size - 1))
    parts = [GROWN.root(old), GROWN.root(size), *GROWN.consistency(old, size)]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = flipped(parts[at], data.draw(st.integers(0, 255)))
    old_root, new_root, *proof = parts
    assert not merkle.is_consistent(
        old=old, new=size, old_root=old_root, new_root=new_root, proof=proof
    )


@given(st.integers(1, SIZE), st.data())
def test_a_proof_is_for_one_place_of_one_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size).filter(lambda each: each != index))
    proof, root, leaf = GROWN.inclusion(index, size), GROWN.root(size), GROWN.hashes[index]
    assert not merkle.is_included(leaf, index=other, size=size, proof=proof, root=root)
    longer = [*proof, root]
    assert not merkle.is_included(leaf, index=index, size=size, proof=longer, root=root)
    if proof:
        assert not merkle.is_included(leaf, index=index, size=size, proof=proof[:-1], root=root)


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")


def test_what_is_no_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="this size"):
        merkle.extend(b"\0" * 32, 3, [])
    with pytest.raises(ValueError, match="within one"):
        merkle.split(b"\0" * 33)
    with pytest.raises(ValueError, match="within a subtree"):
        merkle.subtrees(1, 4)
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_ranges(3, 3)
    with pytest.raises(ValueError, match="at least as large"):
        merkle.consistency_ranges(3, 2)


# Source: the examples in C2SP tlog-tiles, and the layout of its section "Merkle Tree".
@pytest.mark.parametrize(
    ("made", "path"),
    [
        (tile.Tile(0, 0), "tile/0/000"),
        (tile.Tile(0, 1234067), "tile/0/x001/x234/067"),
        (tile.Tile(1, 3, 7), "tile/1/003.p/7"),
        (tile.Tile(2, 1000, 255), "tile/2/x001/000.p/255"),
    ],
)
def test_published_paths(made: tile.Tile, path: str) -> None:
    assert made.path == path
    if made.level == 0:
        assert tile.entries_path(made.number, made.width) == path.replace("tile/0", "tile/entries")


def test_the_published_tree_has_the_published_tiles() -> None:
    # Source: the example of C2SP tlog-tiles, section "Partial Tiles".
    tiles = tile.tiles_of(70_000)
    assert [(t.level, t.number, t.width) for t in tiles if t.width < 256 or t.level] == [
        (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1),
    ]  # fmt: skip
    assert len(tiles) == 274 + 2 + 1
    assert tile.tiles_of(0) == []
    assert tile.tiles_of(256) == [tile.Tile(0, 0), tile.Tile(1, 0, 1)]


@given(st.integers(1, SIZE), st.data())
def test_tiles_hold_every_hash_that_a_proof_needs(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    held = {
        each: b"".join(
            GROWN.hash_of((8 * each.level, 256 * each.number + place))
            for place in range(each.width)
        )
        for each in tile.tiles_of(size)
    }

    def read(node: merkle.Node) -> bytes:
        return tile.hash_in(held[tile.tile_holding(node, size=size)], node)

    proof = merkle.prove(merkle.inclusion_ranges(index, size), read)
    assert proof == GROWN.inclusion(index, size)


def test_a_tile_that_is_too_narrow_is_refused() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        tile.hash_in(b"\0" * 32 * 3, (2, 0))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 700), st.lists(st.integers(0, 300), max_size=4))
def test_a_growing_tree_hands_out_each_tile_once(first: int, more: list[int]) -> None:
    begun = tile.Growth()
    filled = begun.add(GROWN.hashes[:first])
    grown = tile.Growth(begun.size, begun.partial)
    for count in more:
        filled += grown.add(GROWN.hashes[grown.size : grown.size + count])

    assert grown.edge == GROWN.edges[grown.size]
    full = [each for each in tile.tiles_of(grown.size) if each.width == tile.WIDTH]
    assert sorted(each.tile for each in filled) == full
    for each in filled:
        level, number, _ = each.tile
        hashes = [GROWN.hash_of((8 * level, 256 * number + n)) for n in range(256)]
        assert each.hashes == hashes
        assert each.root == GROWN.hash_of((8 * level + 8, number))
    partial = [each for each in tile.tiles_of(grown.size) if each.width < tile.WIDTH]
    assert [each for each, _ in grown.partial_tiles] == partial


def test_two_levels_of_tiles_fill() -> None:
    grown = tile.Growth()
    leaf = merkle.leaf_hash(b"")
    filled = grown.add([leaf] * 70_000)
    assert (sum(each.tile.level == 0 for each in filled), len(filled)) == (273, 274)
    assert filled[-18].tile == tile.Tile(1, 0)
    assert grown.edge == merkle.extend(b"", 0, [leaf] * 70_000)
    assert [t for t, _ in grown.partial_tiles] == [
        tile.Tile(0, 273, 112), tile.Tile(1, 1, 17), tile.Tile(2, 0, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("partial", [[], [[b""] * 3], [[b""] * 4, [], [b""]], [[b""] * 4, [b""]]])
def test_partial_tiles_of_another_size_are_refused(partial: list[list[bytes]]) -> None:
    with pytest.raises(ValueError, match=r"this size|missing"):
        tile.Growth(256 * 2 + 4, partial)
