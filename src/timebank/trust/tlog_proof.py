"""The file that proves, without asking anybody, that a log holds an entry.

Source: C2SP tlog-proof.
"""

import base64
from dataclasses import dataclass

from timebank.trust.checkpoint import read_decimal
from timebank.trust.merkle import HASH_BYTES
from timebank.trust.note import NoteMalformedError, read_base64

HEADER = "c2sp.org/tlog-proof@v1"
"""The first line of every proof."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """The way from a leaf to a signed root.

    Attributes:
        index: The leaf's place, counted from 0.
        hashes: From the leaf's sibling up to the root's child.
        checkpoint: The signed note, as it was signed.
        extra: What else a verifier of this log needs; not proved by itself. None: nothing.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(each).decode() for each in self.hashes]
        return "\n".join([*lines, "", self.checkpoint])


def read_proof(text: str) -> TlogProof:
    """Read a proof.

    Raises:
        NoteMalformedError: It is none.
    """
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise NoteMalformedError("the text is no proof")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = read_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise NoteMalformedError("the proof does not say which leaf")
    index = read_decimal(lines.pop(0).removeprefix("index "))
    hashes = tuple(read_base64(line) for line in lines)
    if any(len(each) != HASH_BYTES for each in hashes):
        raise NoteMalformedError("a hash of the proof is no SHA-256")
    return TlogProof(index, hashes, note, extra)
