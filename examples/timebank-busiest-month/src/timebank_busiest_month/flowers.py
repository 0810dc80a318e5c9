"""Flowers: one for the first block of service, one more each time that it doubles."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from timebank.policy.bilingual import Bilingual
from timebank.policy.extension import Column, GrantSpec
from timebank.policy.grant import GrantKind

DOUBLINGS = 40
"""Most of them: more than a life of service has."""


class Flowers:
    """Answers `flowers`."""

    api = 1
    spec = GrantSpec(
        name="flowers",
        kind=GrantKind.GOODS,
        facts=1,
        numbers=1,
        words=Bilingual("鲜花", "flowers"),
    )

    def counts(
        self, *, facts: Sequence[Column], numbers: tuple[int, ...], on: date
    ) -> NDArray[np.int64]:
        """Return one flower, and one more for each doubling of the block that is reached."""
        ((have, is_known),), (block,) = facts, numbers
        needs = block * 2 ** np.arange(1, DOUBLINGS + 1, dtype=np.int64)
        known = np.where(is_known, have, 0)
        return 1 + np.searchsorted(needs, known, side="right").astype(np.int64)
