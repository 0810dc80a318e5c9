"""A sample is drawn by a seed that nobody chose: the same one for everybody, and by risk."""

import hashlib
from collections import Counter

import pytest

from timebank.domain.assurance import Evidence
from timebank.domain.sample import STRATA, Stratum, allocate, decide_draw, draw, draw_key

SCANNED = Stratum(Evidence.SCANNED, False)
DECLARED = Stratum(Evidence.DECLARED, False)
FLAGGED = Stratum(Evidence.DECLARED, True)
SEED = "00" * 32


def test_the_key_is_one_that_anybody_can_compute() -> None:
    # echo -n "seed/7" | sha256sum
    assert draw_key("seed", 7) == hashlib.sha256(b"seed/7").digest()
    assert draw_key(SEED, 1).hex().startswith(hashlib.sha256(f"{SEED}/1".encode()).hexdigest()[:8])


@pytest.mark.parametrize("stratum", STRATA)
def test_a_stratum_is_known_by_its_code(stratum: Stratum) -> None:
    assert Stratum.of_code(stratum.code) == stratum


@pytest.mark.parametrize(
    ("size", "counts", "given"),
    [
        (10, {SCANNED: 100, DECLARED: 100}, {SCANNED: 3, DECLARED: 7}),
        (10, {SCANNED: 1000, DECLARED: 2, FLAGGED: 3}, {SCANNED: 8, FLAGGED: 1, DECLARED: 1}),
        (10, {SCANNED: 3, DECLARED: 4}, {SCANNED: 3, DECLARED: 4}),
        (5, {SCANNED: 100, FLAGGED: 2}, {SCANNED: 4, FLAGGED: 1}),
        (30, {SCANNED: 40, FLAGGED: 5}, {SCANNED: 25, FLAGGED: 5}),
        (0, {SCANNED: 40}, {SCANNED: 0}),
    ],
)
def test_riskier_entries_are_likelier_and_none_is_drawn_twice(
    size: int, counts: dict[Stratum, int], given: dict[Stratum, int]
) -> None:
    assert allocate(size, counts) == given


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    entries = [(STRATA[seq % 6], seq) for seq in range(1, 601)]
    drawn = draw(SEED, entries, size=60)
    assert drawn == draw(SEED, reversed(entries), size=60)
    assert len({each.seq for each in drawn}) == 60
    others = draw("11" * 32, entries, size=60)
    assert {each.seq for each in drawn} != {each.seq for each in others}
    assert Counter(each.stratum for each in drawn) == Counter(each.stratum for each in others)


@pytest.mark.parametrize(
    ("is_over", "size", "is_drawn", "has_entries", "is_signed", "outcome"),
    [
        (False, 0, True, False, False, "sample.period_open"),
        (True, 0, True, False, False, "sample.size"),
        (True, 501, True, False, False, "sample.size"),
        (True, 500, True, False, False, "sample.already_drawn"),
        (True, 1, False, False, False, "sample.empty"),
        (True, 1, False, True, False, "sample.not_signed"),
        (True, 1, False, True, True, None),
    ],
)
def test_a_sample_is_drawn_once_when_the_period_is_over_and_signed(
    is_over: bool,
    size: int,
    is_drawn: bool,
    has_entries: bool,
    is_signed: bool,
    outcome: str | None,
) -> None:
    found = decide_draw(
        is_over=is_over,
        size=size,
        is_drawn=is_drawn,
        has_entries=has_entries,
        is_signed=is_signed,
    )
    assert (None if found is None else found.value) == outcome
