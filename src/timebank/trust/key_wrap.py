"""Wraps a secret for a device's own key, so that no script and no wire sees it in clear.

Source: RFC 8017, section 7.1 (RSAES-OAEP with SHA-256), as WebCrypto unwraps it.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

KEY_BITS = (2048, 3072, 4096)
"""Sizes of a device's key that are accepted."""


def read_public_key(der: bytes) -> RSAPublicKey | None:
    """Return the RSA key that a browser exported as `spki`, or None where it is none of ours."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size in KEY_BITS else None


def wrap(key: RSAPublicKey, secret: bytes) -> bytes:
    """Return a secret that only the holder of the private key can open."""
    return key.encrypt(secret, OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None))
