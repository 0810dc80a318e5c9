"""Who serves evenly comes first: the smaller the busiest month's part of all, the better."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from timebank.policy.bilingual import Bilingual
from timebank.policy.extension import Claimants, SelectorSpec

PARTS = 1_000_000
"""In how many parts a share is told: ranks are whole numbers."""


class Evenness:
    """Answers `evenness`: ranks by the busiest month and by all minutes, in this order."""

    api = 1
    spec = SelectorSpec(
        name="evenness",
        criteria=2,
        words=Bilingual("服务最均匀者在前", "who serves most evenly comes first"),
    )

    def ranks(self, *, claimants: Claimants, on: date) -> NDArray[np.int64]:
        """Return the busiest month's part of all, in millionths; unknown comes last."""
        (busiest, busiest_known), (total, total_known) = claimants.facts
        parts = busiest * PARTS // np.maximum(total, 1)
        return np.where(busiest_known & total_known & (total > 0), parts, PARTS * PARTS)
