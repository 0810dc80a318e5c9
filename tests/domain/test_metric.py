"""The rate per ten thousand residents: rounded half up, and not known without residents."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.metric import rate_per_10k


@pytest.mark.parametrize(
    ("active", "residents", "rate"),
    [
        (72_000, 456_775, 1_576),  # Haiyan in 2024
        (0, 456_775, 0),
        (1, 20_000, 1),  # exactly a half
        (1, 20_001, 0),
        (3, 20_000, 2),  # one and a half: half up, not half to even
        (5, 20_000, 3),  # two and a half
        (10, 10, 10_000),
        (11, 10, 11_000),  # those who serve may live elsewhere by the census
        (0, 0, None),
        (5, 0, None),
        (5, None, None),
    ],
)
def test_rate(active: int, residents: int | None, rate: int | None) -> None:
    assert rate_per_10k(active, residents) == rate


@given(st.integers(0, 10**10), st.integers(1, 10**10))
def test_the_rate_is_the_nearest_whole_number(active: int, residents: int) -> None:
    rate = rate_per_10k(active, residents)
    assert rate is not None
    off = rate - Fraction(active * 10_000, residents)
    assert -Fraction(1, 2) < off <= Fraction(1, 2)
