"""The school holidays of the summer: July and August."""

import numpy as np
from numpy.typing import NDArray

from timebank.policy.bilingual import Bilingual
from timebank.policy.extension import CalendarSpec

_EPOCH = 719_163
"""The proleptic ordinal of 1 January 1970, where NumPy's days begin."""


class Summer:
    """Answers `summer`."""

    api = 1
    spec = CalendarSpec(name="summer", words=Bilingual("七月和八月", "July and August"))

    def holds(self, *, days: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which days lie in July or August."""
        months = (days - _EPOCH).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return (months % 12 == 6) | (months % 12 == 7)
