"""Shares by weight sum exactly, and the rest goes where the rule says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.population import share_out, village_weight


def test_the_rest_goes_to_the_largest_remainders_then_to_the_lower_key() -> None:
    assert share_out(10, {1: 1, 2: 1, 3: 1}) == {1: 4, 2: 3, 3: 3}
    assert share_out(10, {1: 1, 2: 2}) == {1: 3, 2: 7}
    assert share_out(0, {}) == {}


def test_nobody_to_share_is_refused() -> None:
    with pytest.raises(ValueError, match="no weight"):
        share_out(1, {})


@given(st.integers(0, 10**9), st.dictionaries(st.integers(1, 200), st.integers(1, 9), min_size=1))
def test_shares_sum_exactly_and_differ_from_the_exact_share_by_less_than_one(
    total: int, weights: dict[int, int]
) -> None:
    shares = share_out(total, weights)
    whole = sum(weights.values())
    assert sum(shares.values()) == total
    assert all(abs(shares[key] * whole - total * weights[key]) < whole for key in weights)


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("海沙社区", 2),
        ("枣园社区居委会", 2),
        ("齐景社区居民委员会", 2),
        ("首荡村委会", 1),
        ("县林场生活区", 1),
    ],
)
def test_communities_weigh_twice(name: str, weight: int) -> None:
    assert village_weight(name) == weight
