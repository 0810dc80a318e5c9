"""Checks what a volunteer's phone signed.

Source: FIPS 186-5 (ECDSA, Ed25519); IEEE P1363, the fixed-length form that WebCrypto writes.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from timebank.domain.device_key import SIGNATURE_BYTES, DeviceKey, KeyKind


def is_signed(key: DeviceKey, *, message: bytes, signature: bytes) -> bool:
    """Say whether a phone's key made a signature. A point off the curve signs nothing."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        if key.kind is KeyKind.ED25519:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
        else:
            half = SIGNATURE_BYTES // 2
            r, s = (int.from_bytes(each, "big") for each in (signature[:half], signature[half:]))
            point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.public)
            point.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
