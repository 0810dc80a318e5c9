"""A volunteer's phone without the phone: a key that signs what the page's script signs."""

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from timebank.domain.device_key import DeviceKey, KeyKind, scan_message


@dataclass
class Phone:
    """Makes a key of one kind, and signatures in the form that browsers write."""

    kind: KeyKind = KeyKind.P256
    _p256: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    _ed25519: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def key(self) -> DeviceKey:
        if self.kind is KeyKind.ED25519:
            return DeviceKey(self.kind, self._ed25519.public_key().public_bytes_raw())
        point = self._p256.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return DeviceKey(self.kind, point)

    def sign(self, message: bytes) -> bytes:
        if self.kind is KeyKind.ED25519:
            return self._ed25519.sign(message)
        r, s = decode_dss_signature(self._p256.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def proof(self, receipt: str, *, place: str = "") -> dict[str, object]:
        """What a check-in carries when this phone sends it."""
        signature = self.sign(scan_message(receipt=receipt, place=place))
        return {
            "kind": int(self.kind),
            "key": base64url(self.key.public),
            "signature": base64url(signature),
            "place": place,
        }


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
