"""The most minutes that somebody served in one calendar month that is over."""

from datetime import date

import numpy as np

from timebank.domain.assurance import Assurance
from timebank.policy.bilingual import Bilingual
from timebank.policy.columns import Column
from timebank.policy.cube import Cube, Measure
from timebank.policy.fact import FactKey, FactSpec, FactType, FactUnit


class BusiestMonth:
    """Answers `busiest_month`."""

    api = 1
    spec = FactSpec(
        name="busiest_month",
        type=FactType.NUMBER,
        unit=FactUnit.MINUTES,
        can_grow=True,
        undefined="somebody has never served",
        words=Bilingual("服务最多的一个月", "the busiest month"),
    )

    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        """Return it for everybody; unknown for whoever has never served."""
        minutes = ledger.sums[Measure.MINUTES, Assurance.A0]
        most = minutes.max(axis=0, initial=0).astype(np.int64)
        return most, most > 0
