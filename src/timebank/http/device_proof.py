"""What a phone signed, as requests carry it: read and checked before any SQL."""

import msgspec

from timebank.domain.device_key import (
    parse_device_key,
    read_base64url,
    scan_message,
)
from timebank.domain.evidence import (
    WALL_READING,
    DeviceStanding,
    Means,
    ScanEvidence,
    Whereabouts,
)
from timebank.domain.qr import Scan
from timebank.trust.device_signature import is_signed


class DeviceProof(msgspec.Struct, frozen=True):
    """The key of a phone and its signature, as texts; all empty where no phone signed.

    Attributes:
        kind: 1 P-256, 2 Ed25519.
        key: The public key, base64url.
        signature: 64 bytes, base64url.
        place: What the phone answered about the meeting point; signed too.
    """

    kind: int = 0
    key: str = ""
    signature: str = ""
    place: str = ""


_TYPED_CODE = WALL_READING._replace(means=Means.TYPED)


def evidence_of_scan(scan: Scan) -> ScanEvidence:
    """Return what is known of a scan before any phone signed it."""
    return _TYPED_CODE if scan.is_typed else WALL_READING


def check_proof(
    proof: DeviceProof, *, receipt: str, evidence: ScanEvidence
) -> tuple[ScanEvidence, bytes | None]:
    """Return the evidence with what a phone proves, and the key that proved it; None for none.

    A signature that does not fit raises a flag and refuses nothing: it may be a broken browser.
    An answer about the place counts without a signature only where it speaks against its sender.
    """
    place = Whereabouts(proof.place) if proof.place in tuple(Whereabouts) else Whereabouts.UNKNOWN
    evidence = evidence._replace(place=place)
    if not proof.key:
        return evidence, None
    key = parse_device_key(proof.kind, proof.key)
    signature = read_base64url(proof.signature) or b""
    message = scan_message(receipt=receipt, place=proof.place)
    if key is None or not is_signed(key, message=message, signature=signature):
        return evidence._replace(device=DeviceStanding.UNPROVED), None
    return evidence, key.id
