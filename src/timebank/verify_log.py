"""Verifies an exported log, or the proof of one entry. Needs Python 3.11 and `cryptography`.

    python verify_log.py FOLDER [--vkey KEY ...] every leaf, tile and root of each log in a folder
    python verify_log.py --proof FILE --vkey KEY that a log holds an entry, and what the entry says

This file knows nothing of timebank's other code, on purpose: what it accepts was made twice. It is
copied into every export. A KEY that came with the folder proves only that the folder fits together;
take the key from where its owner publishes it.

Source: RFC 6962, section 2.1; C2SP signed-note, tlog-checkpoint, tlog-tiles and tlog-proof.
"""

import argparse
import base64
import hashlib
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
"""Hashes of a full tile."""

LEAF_BYTES = 54
"""Version, kind, book, seq, instant, commitment."""

HEADER_BYTES = 22
"""Version, kind, book, seq, instant."""

NOTICES = "notices"
"""The last part of the name of a log that holds notices and no entries."""

KINDS = {2: "pack in force", 3: "key changed", 4: "secrets erased", 5: "list fixed"}
"""What a notice makes known."""

UNITS = {1: "minutes", 2: "credits", 3: "points", 4: "fen"}


class NotProvenError(Exception):
    """What was to be proved does not hold."""


@dataclass(frozen=True)
class Head:
    """A signed root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class ProvenEntry:
    """An entry that a log holds, with all that the journal says of it."""

    head: Head
    book: int
    seq: int
    recorded_at: datetime
    fields: dict[str, object]


def open_checkpoint(note: str, *vkeys: str) -> Head:
    """Return the head that one of the keys has signed. A log whose key was changed has several.

    Raises:
        NotProvenError: None has.
    """
    signed = [head for each in vkeys if (head := _signed_head(note, each)) is not None]
    if not signed:
        names = ", ".join(sorted({each.partition("+")[0] for each in vkeys}))
        raise NotProvenError(f"the checkpoint is not signed by {names}")
    return signed[0]


def _signed_head(note: str, vkey: str) -> Head | None:
    """Return what a key has signed, or None where its signature is not there."""
    name, _, rest = vkey.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _bytes(encoded)
    named = _key_id(name, key)
    if named.hex() != key_id or key[:1] != b"\x01" or len(key) != 33:
        raise NotProvenError("the verifier key is damaged, or of another kind than Ed25519")
    text, gap, lines = note.rpartition("\n\n")
    text += "\n"
    found = False
    for line in lines.split("\n")[:-1]:
        mark, signer, value, *more = [*line.split(" "), "", ""]
        if mark != "—" or any(more):
            raise NotProvenError("a line below the checkpoint is no signature")
        raw = _bytes(value)
        if (signer, raw[:4]) != (name, named):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], text.encode())
        except InvalidSignature:
            raise NotProvenError("the signature of the checkpoint does not fit it") from None
        found = True
    if not gap or not found:
        return None
    origin, size, root, *more = text.split("\n")
    if origin != name or more != [""] or not _is_decimal(size):
        raise NotProvenError("the checkpoint is not one of this log")
    return Head(origin, int(size), _hash(root))


def _key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]


def renamed(vkey: str, name: str) -> str:
    """Return the same key under another name: the notices that go with a log are signed by its."""
    encoded = vkey.strip().partition("+")[2].partition("+")[2]
    return f"{name}+{_key_id(name, _bytes(encoded)).hex()}+{encoded}"


def verify_log(folder: Path, *vkeys: str, tell: Callable[[str], None] = lambda _: None) -> Head:
    """Verify a log's folder: its leaves make its tiles, its tiles make the signed root.

    Notices, which are public, are told. Memory does not grow with the log.

    Raises:
        NotProvenError: They do not, or something is missing.
    """
    head = open_checkpoint(_read_text(folder / "checkpoint"), *vkeys)
    log, _, last = head.origin.rpartition("/")
    is_notices = last == NOTICES
    book = log.rpartition("/")[2] if is_notices else last
    levels: list[list[bytes]] = [[]]
    numbers = [0]
    newest = None
    for seq, leaf in enumerate(_leaves(folder, head.size), 1):
        if len(leaf) < HEADER_BYTES or (len(leaf) != LEAF_BYTES and not is_notices):
            raise NotProvenError(f"leaf {seq} is of another length")
        version, kind, in_book, its_seq, recorded_at = struct.unpack_from(">BBIqq", leaf)
        kinds = KINDS if is_notices else (1,)
        if (version, str(in_book), its_seq) != (1, book, seq) or kind not in kinds:
            raise NotProvenError(f"leaf {seq} is that of another entry")
        if is_notices:
            told = leaf[HEADER_BYTES:].decode(errors="replace")
            tell(f"notice {seq}, {_instant(recorded_at)}, {KINDS[kind]}: {told}")
        if newest is not None and recorded_at < newest:
            raise NotProvenError(f"leaf {seq} was recorded before the one that precedes it")
        newest = recorded_at
        levels[0].append(hashlib.sha256(b"\0" + leaf).digest())
        level = 0
        while len(levels[level]) == WIDTH:
            _compare(folder, level, numbers[level], levels[level])
            if level + 1 == len(levels):
                levels.append([])
                numbers.append(0)
            levels[level + 1].append(_root(levels[level]))
            levels[level] = []
            numbers[level] += 1
            level += 1
        if seq % 100_000 == 0:
            tell(f"{seq:,} of {head.size:,} entries")
    for level, hashes in enumerate(levels):
        if hashes:
            _compare(folder, level, numbers[level], hashes)
    # Perfect subtrees, largest first: the higher levels stand to the left.
    edge = [each for hashes in reversed(levels) for each in _perfect(hashes)]
    made = edge.pop() if edge else hashlib.sha256(b"").digest()
    while edge:
        made = _node(edge.pop(), made)
    if made != head.root:
        raise NotProvenError("the leaves do not make the signed root")
    return head


def verify_proof(text: str, *vkeys: str) -> ProvenEntry:
    """Verify a proof file and return the entry that it proves.

    Raises:
        NotProvenError: It proves nothing.
    """
    top, gap, note = text.partition("\n\n")
    lines = top.split("\n")
    if not gap or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1":
        raise NotProvenError("the file is no proof")
    if not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise NotProvenError("the proof holds no entry")
    head = open_checkpoint(note, *vkeys)
    opening = _bytes(lines[1].removeprefix("extra "))
    salt, row = opening[:32], opening[32:]
    entry = _entry(row, head)
    if lines[2] != f"index {entry.seq - 1}" or not 0 < entry.seq <= head.size:
        raise NotProvenError("the proof is that of another entry")
    leaf = row[2:24] + hashlib.sha256(salt + row).digest()
    made = _climb(
        hashlib.sha256(b"\0" + leaf).digest(),
        entry.seq - 1,
        head.size,
        [_hash(x) for x in lines[3:]],
    )
    if made != head.root:
        raise NotProvenError("the entry is not under the signed root")
    return entry


def _entry(row: bytes, head: Head) -> ProvenEntry:
    body = struct.Struct(">16shhqqqqBqhhiqqhqq")
    if len(row) != 24 + body.size or row[:2] != (len(row) - 2).to_bytes(2, "big"):
        raise NotProvenError("the entry is of a form that this verifier does not know")
    version, kind, book, seq, recorded_at = struct.unpack_from(">BBIqq", row, 2)
    if (version, kind) != (1, 1) or head.origin.rpartition("/")[2] != str(book):
        raise NotProvenError("the entry is of another book, version or kind")
    names = (
        "key", "kind", "unit", "debit", "credit", "amount", "effective_at", "there", "volunteer",
        "assurance", "measured", "activity_book", "activity", "shift", "field", "place", "reverses",
    )  # fmt: skip
    fields: dict[str, object] = dict(zip(names, body.unpack_from(row, 24), strict=True))
    there = body.unpack_from(row, 24)[7]
    for bit, absent in (
        (1, ["volunteer"]),
        (2, ["assurance", "measured", "activity_book", "activity", "shift", "field", "place"]),
        (4, ["activity_book"]),
        (8, ["activity"]),
        (16, ["shift"]),
        (32, ["reverses"]),
    ):
        for name in absent if not there & bit else []:
            fields[name] = None
    fields["key"] = row[24:40].hex()
    fields["effective_at"] = _instant(body.unpack_from(row, 24)[6]).isoformat()
    fields["unit"] = UNITS.get(body.unpack_from(row, 24)[2], fields["unit"])
    del fields["there"]
    return ProvenEntry(head, book, seq, _instant(recorded_at), fields)


def _climb(made: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes:
    """The root that a leaf's hash and the hashes on its way lead to."""
    path = list(hashes)

    def climb(start: int, stop: int) -> bytes:
        if stop - start == 1:
            return made
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        below = climb(start, middle) if index < middle else climb(middle, stop)
        if not path:
            raise NotProvenError("the proof is too short")
        beside = path.pop(0)
        return _node(below, beside) if index < middle else _node(beside, below)

    root = climb(0, size)
    if path:
        raise NotProvenError("the proof is too long")
    return root


def _leaves(folder: Path, size: int) -> Iterator[bytes]:
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        path = folder / "tile/entries" / _numbered(number, width)
        data, at, count = _read(path), 0, 0
        while at + 2 <= len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            yield data[at + 2 : end]
            at, count = end, count + 1
        if (at, count) != (len(data), width):
            raise NotProvenError(f"{path} does not hold {width} leaves")


def _compare(folder: Path, level: int, number: int, hashes: Sequence[bytes]) -> None:
    path = folder / "tile" / str(level) / _numbered(number, len(hashes))
    if _read(path) != b"".join(hashes):
        raise NotProvenError(f"{path} is not what the leaves make it")


def _perfect(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees over hashes that stand side by side, largest first."""
    found = []
    while hashes:
        count = 1 << len(hashes).bit_length() - 1
        found.append(_root(hashes[:count]))
        hashes = hashes[count:]
    return found


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    middle = 1 << (len(hashes) - 1).bit_length() - 1
    return _node(_root(hashes[:middle]), _root(hashes[middle:]))


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _numbered(number: int, width: int) -> str:
    digits = f"{number:0{-(-len(str(number)) // 3) * 3}}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{each}" for each in groups[:-1]), groups[-1]]) + (
        f".p/{width}" if width < WIDTH else ""
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotProvenError(f"{path} cannot be read") from None


def _read_text(path: Path) -> str:
    try:
        return _read(path).decode()
    except UnicodeDecodeError:
        raise NotProvenError(f"{path} is no text") from None


def _is_decimal(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and str(int(text)) == text


def _bytes(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        raise NotProvenError("a value is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise NotProvenError("a value has not the one form of base64")
    return value


def _hash(text: str) -> bytes:
    value = _bytes(text)
    if len(value) != 32:
        raise NotProvenError("a hash has not 32 bytes")
    return value


def _instant(microseconds: int) -> datetime:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    except OverflowError:
        raise NotProvenError("an instant is out of range") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 proven, 1 not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="an exported folder")
    parser.add_argument("--proof", type=Path, help="a .tlog-proof file")
    parser.add_argument("--vkey", action="append", help="a log's verifier key, and its older ones")
    options = parser.parse_args(arguments)
    if (options.folder is None) == (options.proof is None) or (options.proof and not options.vkey):
        parser.error("name a folder, or a proof and a key")
    try:
        if options.proof is not None:
            entry = verify_proof(_read_text(options.proof), *options.vkey)
            print(f"Proven: entry {entry.seq} of book {entry.book}, recorded {entry.recorded_at},")
            print(
                f"is under the signed root of {entry.head.origin} at {entry.head.size:,} entries."
            )
            for name, value in entry.fields.items():
                print(f"  {name:14} {'-' if value is None else value}")
            return 0
        return _verify_folder(options.folder, options.vkey)
    except NotProvenError as error:
        print(f"NOT proven: {error}.", file=sys.stderr)
        return 1


def _verify_folder(folder: Path, given: Sequence[str] | None) -> int:
    keys: dict[str, list[str]] = {}
    for key in given or ():
        name = key.partition("+")[0]
        keys.setdefault(name, []).append(key)
        keys.setdefault(f"{name}/{NOTICES}", []).append(renamed(key, f"{name}/{NOTICES}"))
    logs = sorted(path.parent for path in folder.glob("**/checkpoint"))
    if not logs:
        raise NotProvenError(f"{folder} holds no log")
    for each in logs:
        vkeys = _read_text(each / "vkey").split()
        if given is not None:
            origin = _read_text(each / "checkpoint").partition("\n")[0]
            if origin not in keys:
                raise NotProvenError(f"no key was given for {origin}")
            vkeys = keys[origin]
        head = verify_log(each, *vkeys, tell=print)
        print(f"Proven: {head.origin}, {head.size:,} {_leaves_of(head)}, root {head.root.hex()}")
    if given is None:
        print("The keys were those in the folder: compare them with what the office publishes.")
    return 0


def _leaves_of(head: Head) -> str:
    return NOTICES if head.origin.endswith(f"/{NOTICES}") else "entries"


if __name__ == "__main__":
    sys.exit(main())
