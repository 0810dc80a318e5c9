"""The contract of a plug-in, as a check that its author and whoever installs it can run.

It makes up a population, asks the provider, and names every promise that it breaks. The seed makes
the population, so that a failure can be seen again.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from timebank.domain.assurance import Assurance
from timebank.domain.plugin import API
from timebank.policy.columns import Column
from timebank.policy.cube import Cube, Measure, frozen, last_day
from timebank.policy.fact import FactKey, FactType, FactUse
from timebank.policy.plugins import FactProvider
from timebank.policy.window import Window, WindowKind

PEOPLE = 60
"""Enough for every shape of history, few enough to ask about each alone."""

MONTHS = 30
FIRST_MONTH = 2022 * 12


def broken_promises(provider: FactProvider, *, seed: int = 1) -> tuple[str, ...]:
    """Return what a provider does that it must not, in words; empty when it keeps its contract."""
    return tuple(_broken(provider, made_up_cube(seed=seed)))


def made_up_cube(*, seed: int, people: int = PEOPLE, months: int = MONTHS) -> Cube:
    """Return a population that never was: some who never served, some corrected below zero."""
    random = np.random.default_rng(seed)
    served = random.integers(0, 900, (months, people)) * (random.random((months, people)) < 0.4)
    served[:, :3] = 0
    served[random.integers(0, months), 3:6] = -30
    minutes = served.astype(np.int32)
    services = np.sign(minutes).astype(np.int32)
    sums = {}
    for grade in Assurance:
        kept = random.random((months, people)) < 1 - grade * 0.2
        sums[Measure.MINUTES, grade] = frozen(np.where(kept, minutes, 0).astype(np.int32))
        sums[Measure.SERVICES, grade] = frozen(np.where(kept, services, 0).astype(np.int32))
    enrolled = date(2021, 1, 1).toordinal() + random.integers(0, 700, people)
    return Cube(
        volunteers=frozen(np.arange(1, people + 1, dtype=np.int64)),
        first_month=FIRST_MONTH,
        sums=sums,
        homes=frozen(330_424_100_000 + random.integers(0, 5, people) * 1_000),
        enrolled=frozen(enrolled.astype(np.int64)),
    )


def _broken(provider: FactProvider, cube: Cube) -> Iterator[str]:
    if provider.api != API:
        yield f"api is {provider.api}, not {API}"
        return
    if provider.spec.words is None:
        yield "the fact has no words: a person could not be told what is asked"
    for on in (last_day(FIRST_MONTH + 11), last_day(FIRST_MONTH + 20) - timedelta(days=3)):
        for key in _keys(provider, on):
            yield from _broken_for(provider, cube, key, on)


def _keys(provider: FactProvider, on: date) -> Iterator[FactKey]:
    spec = provider.spec
    windows: list[Window | None] = [None]
    if spec.windows:
        windows = [
            each
            for each in (
                Window(WindowKind.LIFETIME),
                Window(WindowKind.CALENDAR_YEAR),
                Window(WindowKind.MONTHS, months=6),
            )
            if each.kind in spec.windows
        ]
    for window in windows:
        use = FactUse(spec.name, window)
        since, until = (None, on + timedelta(days=1)) if window is None else window.days(on=on)
        for grade in Assurance if spec.has_assurance else (Assurance.A0,):
            yield FactKey(use.name, since, until, grade)


def _broken_for(provider: FactProvider, cube: Cube, key: FactKey, on: date) -> Iterator[str]:
    where = f"as of {on}, since {key.since}, grade {key.assurance_min.name}"
    before = _bytes(cube)
    first = provider.column(key=key, on=on, ledger=cube.until(on))
    again = provider.column(key=key, on=on, ledger=cube.until(on))
    if _bytes(cube) != before:
        yield f"it changed what it was given, {where}"
        return
    wrong = _wrong_shape(provider, first, cube.people)
    if wrong:
        yield f"{wrong}, {where}"
        return
    if not _same(first, again):
        yield f"asked twice, it answered differently, {where}"
    if provider.spec.is_always_known and not first[1].all():
        yield f"it says that it is always known, and is not, {where}"

    turned_rows = np.arange(cube.people)[::-1].copy()
    turned = provider.column(key=key, on=on, ledger=cube.until(on).only(turned_rows))
    if not _same(first, (turned[0][::-1], turned[1][::-1])):
        yield f"the order of people changes its answer, {where}"
    for row in range(cube.people):
        only = np.array([row])
        alone = provider.column(key=key, on=on, ledger=cube.until(on).only(only))
        if _wrong_shape(provider, alone, 1) or not _same(alone, (first[0][only], first[1][only])):
            yield f"person {row} alone comes to another value than among all, {where}"
            break


def _wrong_shape(provider: FactProvider, column: Column, people: int) -> str:
    values, is_known = column
    kind = np.bool_ if provider.spec.type is FactType.YES_NO else np.int64
    if values.shape != (people,) or is_known.shape != (people,):
        return f"its column is not of the length {people}"
    if values.dtype != kind or is_known.dtype != np.bool_:
        return f"its column is {values.dtype} with {is_known.dtype}, not {kind.__name__} with bool"
    return ""


def _same(one: Column, other: Column) -> bool:
    """Return whether columns say the same; what stands where nothing is known does not matter."""
    is_known = one[1]
    return np.array_equal(is_known, other[1]) and np.array_equal(
        one[0][is_known], other[0][is_known]
    )


def _bytes(cube: Cube) -> bytes:
    sums = b"".join(matrix.tobytes() for matrix in cube.sums.values())
    return sums + cube.homes.tobytes() + cube.enrolled.tobytes()
