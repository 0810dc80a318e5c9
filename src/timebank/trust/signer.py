"""Signing notes and checking them: the one place of this floor with a key.

A county's key may live in a file, a card or a vault: whoever signs is handed a `Signer`.

Source: C2SP signed-note; RFC 8032 (Ed25519).
"""

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from timebank.trust.note import (
    ED25519,
    Note,
    NoteMalformedError,
    Signature,
    VerifierKey,
    read_note,
)

_KEY_BYTES = 32


class SignatureMissingError(Exception):
    """No signature of the expected key stands below the note, or it does not fit the text."""


class Signer(Protocol):
    """A key that signs."""

    @property
    def kind(self) -> int:
        """The type of its signatures, such as `ED25519`."""

    @property
    def public_key(self) -> bytes:
        """What others check them with."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""


class Ed25519Signer:
    """A key in memory, from the file it is kept in.

    Args:
        seed: The 32 bytes of the private key.
    """

    kind = ED25519

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _KEY_BYTES:
            raise ValueError("a private key has 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        return self._key.sign(message)


def verifier_key(signer: Signer, *, name: str) -> VerifierKey:
    """Return the public half of a key under a name."""
    return VerifierKey(name, signer.kind, signer.public_key)


def sign_note(signer: Signer, *, name: str, text: str, also: Signer | None = None) -> Note:
    """Return a text with the signature of a key, and that of the key it replaces if there is one.

    Raises:
        NoteMalformedError: The text cannot be a note's: it must end with a line break.
    """
    signatures = tuple(
        Signature(name, verifier_key(each, name=name).key_id, each.sign(text.encode()))
        for each in (signer, also)
        if each is not None
    )
    note = Note(text, signatures)
    if read_note(str(note)) != note:
        raise NoteMalformedError("the text cannot be told from its signatures")
    return note


def open_note(text: str, key: VerifierKey) -> str:
    """Return the text of a note that a key has signed.

    Raises:
        NoteMalformedError: It is no note, or signatures of the key's type cannot be checked.
        SignatureMissingError: The key has not signed it.
    """
    if key.kind != ED25519 or len(key.key) != _KEY_BYTES:
        raise NoteMalformedError("only Ed25519 keys can be checked")
    note = read_note(text)
    mine = [each for each in note.signatures if (each.name, each.key_id) == (key.name, key.key_id)]
    if not mine:
        raise SignatureMissingError(key.name)
    public = Ed25519PublicKey.from_public_bytes(key.key)
    for each in mine:
        try:
            public.verify(each.value, note.text.encode())
        except InvalidSignature:
            raise SignatureMissingError(key.name) from None
    return note.text
