"""The three classes of evidence as shares, in words and widths."""

from timebank.web import format as words
from timebank.web.parts import EvidenceShares


def evidence_shares(minutes: tuple[int, int, int]) -> EvidenceShares:
    """Return scanned, confirmed and declared minutes as shares in words and widths."""
    scanned, confirmed, declared = words.shares(minutes)
    return EvidenceShares(
        scanned_percent=scanned,
        confirmed_percent=confirmed,
        declared_percent=declared,
        scanned=f"{scanned} %",
        confirmed=f"{confirmed} %",
        declared=f"{declared} %",
    )
