"""The tree over a book's entries: roots, proofs, and their verification.

A tree of n leaves is a row of perfect subtrees, largest first, one for each bit of n: its right
edge. Leaves are appended to the edge alone, and the root is folded from it.

Source: RFC 6962, section 2.1; verification follows RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
"""Length of a SHA-256."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

Range = tuple[int, int]
"""Leaves `start` to `stop`, the last not included, both counted from 0."""

Node = tuple[int, int]
"""The perfect subtree of 2**height leaves that begins at leaf `number * 2**height`."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return sha256(b"\x01" + left + right).digest()


def extend(edge: bytes, size: int, hashes: Iterable[bytes]) -> bytes:
    """Return the right edge of a tree of `size` leaves after leaves with these hashes.

    Cost: about half a microsecond a leaf, in one pass.
    """
    whole = split(edge)
    if len(whole) != size.bit_count():
        raise ValueError("the edge is not that of a tree of this size")
    ended: list[bytes] = []
    level = list(hashes)
    while level:
        if size & 1:
            level.insert(0, whole.pop())
        if len(level) & 1:
            ended.append(level.pop())
        pairs = iter(level)
        level = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(pairs, pairs, strict=True)
        ]
        size >>= 1
    return b"".join([*whole, *reversed(ended)])


def split(hashes: bytes) -> list[bytes]:
    """Return the hashes of a run of them.

    Raises:
        ValueError: The run does not end with a whole hash.
    """
    if len(hashes) % HASH_BYTES:
        raise ValueError("a run of hashes ends within one")
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees that stand side by side, largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_of(edge: bytes) -> bytes:
    """Return the root of the tree with this right edge."""
    return fold(split(edge))


def subtrees(start: int, stop: int) -> list[Node]:
    """Return the perfect subtrees that stand side by side in a range, largest first.

    `start` must be a multiple of the largest, as it is in every proof.
    """
    found: list[Node] = []
    while start < stop:
        height = (stop - start).bit_length() - 1
        if start >> height << height != start:
            raise ValueError("the range begins within a subtree")
        found.append((height, start >> height))
        start += 1 << height
    return found


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return what the proof of a leaf hashes, from its sibling up to the root's child."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    start, stop = 0, size
    ranges: list[Range] = []
    while stop - start > 1:
        middle = start + _largest_left(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return what the proof hashes that a tree of `old` leaves became one of `new`."""
    if not 0 < old <= new:
        raise ValueError("only a tree with leaves grows into one at least as large")
    start, stop = 0, new
    ranges: list[Range] = []
    while old != stop:
        middle = start + _largest_left(stop - start)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # Otherwise the old tree is a subtree of the new: its root is known.
        ranges.append((start, stop))
    return ranges[::-1]


def prove(ranges: Sequence[Range], hash_of: Callable[[Node], bytes]) -> list[bytes]:
    """Return the hash of each range, made from those of perfect subtrees."""
    return [fold([hash_of(node) for node in subtrees(*each)]) for each in ranges]


def is_included(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof leads from a leaf's hash at a place to the root of a tree."""
    if not 0 <= index < size:
        return False
    place, last, made = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            made = node_hash(each, made)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            made = node_hash(made, each)
        place, last = place >> 1, last >> 1
    return last == 0 and made == root


def is_consistent(
    *, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether a proof shows that the first `old` leaves of a tree are an older tree's."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    hashes = list(proof)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    made_old = made_new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            made_old, made_new = node_hash(each, made_old), node_hash(each, made_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            made_new = node_hash(made_new, each)
        place, last = place >> 1, last >> 1
    return last == 0 and made_old == old_root and made_new == new_root


def _largest_left(count: int) -> int:
    """The largest power of two below a count above one."""
    return 1 << (count - 1).bit_length() - 1
