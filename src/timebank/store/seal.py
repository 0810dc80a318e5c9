"""Encrypts what tells who somebody is, and finds a phone number without storing it in clear.

Source: AES-GCM, NIST SP 800-38D; HKDF, RFC 5869; HMAC, RFC 2104.
"""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class SealBrokenError(Exception):
    """The bytes were sealed with another master key, or were changed since."""


class Seal:
    """The keys that seal and find, each derived from the master key for its one purpose.

    Args:
        master_key: 32 random bytes.
    """

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) < _KEY_BYTES:
            raise ValueError("a master key has 32 bytes")
        self._cipher = AESGCM(_derive(master_key, b"timebank seal v1"))
        self._mac_key = _derive(master_key, b"timebank find v1")

    def seal(self, text: str) -> bytes:
        """Return a text encrypted: version, nonce, cipher text with its tag."""
        # A random nonce repeats with a chance of one in four billion after 2**32 texts of one key.
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), _VERSION)

    def open(self, sealed: bytes) -> str:
        """Return the text that was sealed.

        Raises:
            SealBrokenError: It was sealed with another key, or changed.
        """
        nonce = sealed[1 : 1 + _NONCE_BYTES]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise SealBrokenError
        try:
            return self._cipher.decrypt(nonce, sealed[1 + _NONCE_BYTES :], _VERSION).decode()
        except InvalidTag:
            raise SealBrokenError from None

    def mac(self, text: str) -> bytes:
        """Return a keyed hash: the same text has the same one, and nobody else can make it."""
        return hmac.digest(self._mac_key, text.encode(errors="surrogatepass"), "sha256")


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=_KEY_BYTES, info=purpose).derive(master_key)
