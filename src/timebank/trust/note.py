"""A text with the signatures below it, and the line that says whose key to check them with.

Source: C2SP signed-note.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

ED25519 = 1
"""The type of a key that signs the text itself by Ed25519."""

NOTE_BYTES_MAX = 1_000_000
"""Longer than any note: reading one stays cheap whoever sent it."""

SIGNATURES_MAX = 100
"""More witnesses than any note has."""

_KEY_ID_BYTES = 4
_MARK = "\u2014 "


class NoteMalformedError(ValueError):
    """The text is no signed note, verifier key, checkpoint or proof."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note.

    Attributes:
        name: Whose key made it.
        key_id: Four bytes that tell the keys of one name apart.
        value: The signature.
    """

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, none of which is verified yet.

    Attributes:
        text: What is signed, its last line break included.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        lines = [
            f"{_MARK}{each.name} {base64.b64encode(each.key_id + each.value).decode()}\n"
            for each in self.signatures
        ]
        return f"{self.text}\n{''.join(lines)}"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name.

    Attributes:
        kind: The type of signatures it checks, such as `ED25519`.
        key: The public key.
    """

    name: str
    kind: int
    key: bytes

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise NoteMalformedError("the name of a key holds no space and no plus sign")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.key
        return sha256(named).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.kind]) + self.key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


def is_name(name: str) -> bool:
    """Tell whether a key may have this name."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name)


def read_note(text: str) -> Note:
    """Read a signed note.

    Raises:
        NoteMalformedError: It is none.
    """
    if len(text.encode()) > NOTE_BYTES_MAX:
        raise NoteMalformedError("the note is too long")
    if any(each < " " and each != "\n" for each in text):
        raise NoteMalformedError("the note holds control characters")
    body, gap, lines = text.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NoteMalformedError("no signatures stand below the text")
    signatures = tuple(_read_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > SIGNATURES_MAX:
        raise NoteMalformedError("the note has too many signatures")
    return Note(body + "\n", signatures)


def _read_signature(line: str) -> Signature:
    name, space, value = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not space or not is_name(name):
        raise NoteMalformedError("a line below the text is no signature")
    raw = read_base64(value)
    if len(raw) <= _KEY_ID_BYTES:
        raise NoteMalformedError("a signature is too short")
    return Signature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def read_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key such as `example.com/log+530d903a+AekyeR…`.

    Raises:
        NoteMalformedError: It is none, or its identity is another key's.
    """
    name, _, rest = text.partition("+")
    key_id, _, value = rest.partition("+")
    raw = read_base64(value)
    if len(raw) < 2:
        raise NoteMalformedError("the verifier key is too short")
    key = VerifierKey(name, raw[0], raw[1:])
    if key.key_id.hex() != key_id:
        raise NoteMalformedError("the verifier key has the identity of another")
    return key


def read_base64(text: str) -> bytes:
    """Read base64 in the one form that each value has.

    Raises:
        NoteMalformedError: It is not that.
    """
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformedError("a value is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise NoteMalformedError("a value has not the one form of base64")
    return value
