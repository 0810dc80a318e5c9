"""The contract of a plug-in, as a check that its author and whoever installs it can run.

It makes up people and days, asks the provider, and names every promise that it breaks: that it
answers the same when it is asked again, in another order, and of one alone; that it answers for
everybody, in the form it must; that it changes nothing that it is given; and that it opens no file
and no connection. The seed makes the population, so that a failure can be seen again.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from timebank.domain.assurance import Assurance
from timebank.domain.plugin import API
from timebank.policy.columns import Column
from timebank.policy.cube import Cube, Measure, frozen, last_day
from timebank.policy.extension import (
    CalendarProvider,
    CalendarSpec,
    Claimants,
    FactProvider,
    GrantProvider,
    GrantSpec,
    SelectorProvider,
    SelectorSpec,
)
from timebank.policy.fact import FactKey, FactSpec, FactType, FactUse
from timebank.policy.grant import COUNT_MAX
from timebank.policy.window import Window, WindowKind

Provider = FactProvider | GrantProvider | SelectorProvider | CalendarProvider

PEOPLE = 60
"""Enough for every shape of history, few enough to ask about each alone."""

MONTHS = 30
FIRST_MONTH = 2022 * 12


def broken_promises(provider: Provider, *, seed: int = 1, people: int = PEOPLE) -> tuple[str, ...]:
    """Return what a provider does that it must not, in words; empty when it keeps its contract."""
    if provider.api != API:
        return (f"api is {provider.api}, not {API}",)
    if provider.spec.words is None:
        return ("it has no words: a person could not be told what is asked",)
    with _watched() as opened:
        found = tuple(_broken(provider, seed, people))
    return (*found, *(f"it reached outside: {each}" for each in dict.fromkeys(opened)))


def _broken(provider: Provider, seed: int, people: int) -> Iterator[str]:
    match provider.spec:
        case FactSpec():
            cube = made_up_cube(seed=seed, people=people)
            yield from _broken_fact(provider, cube)
        case GrantSpec():
            yield from _broken_grant(provider, seed, people)
        case SelectorSpec():
            yield from _broken_selector(provider, seed, people)
        case CalendarSpec():
            yield from _broken_calendar(provider, people)


_REACHING = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "sqlite3.")
_watching: list[list[str]] = []
_hooks: list[bool] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event.startswith(_REACHING):
        _watching[-1].append(event)
    elif event == "open" and arguments and isinstance(arguments[0], str | bytes):
        name = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        # Modules may be imported when they are first needed.
        if not name.endswith((".py", ".pyc", ".so")):
            _watching[-1].append(f"open {name}")


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Note what is opened meanwhile. The interpreter keeps its audit hooks, so there is one."""
    if not _hooks:
        sys.addaudithook(_note)
        _hooks.append(True)
    opened: list[str] = []
    _watching.append(opened)
    try:
        yield opened
    finally:
        _watching.remove(opened)


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


def _broken_fact(provider: FactProvider, cube: Cube) -> Iterator[str]:
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


_DAYS = (date(2024, 2, 29), date(2024, 12, 31), date(2031, 7, 1))
"""Days of decisions: a leap day, a year's end, and one that lies ahead."""


def _made_up_facts(seed: int, people: int, count: int) -> tuple[Column, ...]:
    random = np.random.default_rng(seed)
    return tuple(
        (
            frozen(random.choice([0, 1, 59, 60, 1_200, 90_000, 10**9], people).astype(np.int64)),
            frozen(random.random(people) < 0.8),
        )
        for _ in range(count)
    )


def _broken_grant(provider: GrantProvider, seed: int, people: int) -> Iterator[str]:
    facts = _made_up_facts(seed, people, provider.spec.facts)
    for on in _DAYS:
        for low in (1, 60, 9_000):
            numbers = tuple(low * (place + 1) for place in range(provider.spec.numbers))

            def ask(
                rows: NDArray[np.intp], numbers: tuple[int, ...] = numbers, on: date = on
            ) -> object:
                told = tuple((frozen(each[0][rows]), frozen(each[1][rows])) for each in facts)
                return provider.counts(facts=told, numbers=numbers, on=on)

            where = f"numbers {numbers}, on {on}"
            yield from _broken_answers(ask, people, np.int64, where)
            found = ask(np.arange(people))
            if isinstance(found, np.ndarray) and people and found.dtype == np.int64:
                least, most = int(found.min()), int(found.max())
                if least < 1 or most > COUNT_MAX:
                    yield f"its counts are {least} to {most}, not 1 to {COUNT_MAX}, {where}"


def _broken_selector(provider: SelectorProvider, seed: int, people: int) -> Iterator[str]:
    random = np.random.default_rng(seed)
    facts = _made_up_facts(seed, people, provider.spec.criteria)
    homes = 330_424_100_000 + random.integers(0, 5, people) * 1_000
    counts = random.integers(1, 1_000, people)
    for on in _DAYS:

        def ask(rows: NDArray[np.intp], on: date = on) -> object:
            told = tuple((frozen(each[0][rows]), frozen(each[1][rows])) for each in facts)
            claimants = Claimants(told, frozen(homes[rows]), frozen(counts[rows]))
            return provider.ranks(claimants=claimants, on=on)

        yield from _broken_answers(ask, people, np.int64, f"on {on}")


def _broken_calendar(provider: CalendarProvider, people: int) -> Iterator[str]:
    first = date(1990, 1, 1).toordinal()
    step = 1 if people == PEOPLE else 37
    days = np.arange(first, date(2100, 1, 1).toordinal(), step, dtype=np.int64)

    def ask(rows: NDArray[np.intp]) -> object:
        return provider.holds(days=frozen(days[rows]))

    yield from _broken_answers(ask, len(days), np.bool_, "from 1990 to 2099", alone=people)


def _broken_answers(
    ask: Callable[[NDArray[np.intp]], object],
    rows: int,
    kind: type[np.generic],
    where: str,
    *,
    alone: int = 0,
) -> Iterator[str]:
    """Yield what is wrong with answers: form, repetition, order, and of one alone."""
    everybody = np.arange(rows)
    first = ask(everybody)
    if first is None:
        return
    if not isinstance(first, np.ndarray) or first.shape != (rows,) or first.dtype != kind:
        form = f"{first.dtype} {first.shape}" if isinstance(first, np.ndarray) else type(first)
        yield f"its answer is {form}, not {kind.__name__} of the length {rows}, {where}"
        return
    kept = first.copy()
    if not np.array_equal(kept, _answer(ask, everybody)):
        yield f"asked twice, it answered differently, {where}"
    if not np.array_equal(kept[::-1], _answer(ask, everybody[::-1])):
        yield f"the order changes its answer, {where}"
    for row in range(0, rows, max(rows // alone, 1) if alone else 1):
        if not np.array_equal(kept[row : row + 1], _answer(ask, everybody[row : row + 1])):
            yield f"one alone comes to another value than among all, {where}"
            break


def _answer(ask: Callable[[NDArray[np.intp]], object], rows: NDArray[np.intp]) -> NDArray[Any]:
    return np.asarray(ask(rows))
