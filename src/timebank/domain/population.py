"""How a counted population is shared out over divisions that nobody counted."""

from collections.abc import Mapping

COMMUNITY_WEIGHT = 2
"""Weight of a residents' community in an estimate: ours, not a statistic; they are built up."""

VILLAGE_WEIGHT = 1
"""Weight of a villagers' committee, and of whatever else stands on that level."""


def village_weight(name: str) -> int:
    """Return the weight of a village-level division in an estimate of its residents."""
    if "村委会" in name or "村民委" in name:
        return VILLAGE_WEIGHT
    is_community = "居委会" in name or "居民委" in name or "社区" in name
    return COMMUNITY_WEIGHT if is_community else VILLAGE_WEIGHT


def share_out(total: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Share a whole number out by weight, so that the shares sum to it exactly.

    Rounded down; what is left goes one each to the largest remainders, then to the lower key.

    Shape: one item per weight, in its order.

    Source: largest-remainder method (Hamilton).

    Raises:
        ValueError: There is something to share and nobody to share it.
    """
    whole = sum(weights.values())
    if whole <= 0:
        if total == 0:
            return dict.fromkeys(weights, 0)
        raise ValueError("no weight to share by")
    shares = {key: total * weight // whole for key, weight in weights.items()}
    left = total - sum(shares.values())
    by_remainder = sorted(weights, key=lambda key: (-(total * weights[key] % whole), key))
    for key in by_remainder[:left]:
        shares[key] += 1
    return shares
