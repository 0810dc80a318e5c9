"""The head of a log at one size: what gets signed.

Source: C2SP tlog-checkpoint.
"""

import base64
from dataclasses import dataclass

from timebank.trust.merkle import HASH_BYTES
from timebank.trust.note import NoteMalformedError, read_base64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's root at a size.

    Attributes:
        origin: Which log; its signing key has the same name.
        size: How many leaves.
        root: The root over them.
    """

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, without signatures. Extension lines are left unread.

    Raises:
        NoteMalformedError: It is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not all(lines[:-1]) or lines[-1]:
        raise NoteMalformedError("a checkpoint has origin, size and root, each on its line")
    root = read_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteMalformedError("the root is no SHA-256")
    return Checkpoint(lines[0], read_decimal(lines[1]), root)


def read_decimal(text: str) -> int:
    """Read a whole number in ASCII digits without leading zeros.

    Raises:
        NoteMalformedError: It is none, or beyond 64 bits.
    """
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0"):
        raise NoteMalformedError("a number is not a plain decimal")
    if len(text) > 19:
        raise NoteMalformedError("a number is too large")
    return int(text)
