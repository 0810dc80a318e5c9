"""What packages from outside may add to the engine, and what the engine asks of them.

Every provider answers in columns, for everybody at once; one person is a column of one. It is
given arrays that refuse to be written to and the day, and no name, clock, session or network, so
the same arguments give the same answer for ever. What each person comes to may depend on nobody
else: `plugin_kit` tries that, and every answer is held to its form here, each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from timebank.policy.bilingual import Bilingual
from timebank.policy.condition import number_of
from timebank.policy.cube import Cube, frozen
from timebank.policy.fact import FactKey, FactSpec, Value
from timebank.policy.grant import COUNT_MAX, GrantKind

Numbers = NDArray[np.int64]

Column = tuple[NDArray[Any], NDArray[np.bool_]]
"""Values and where they are known, as in `columns.Column`."""


class BrokenPromiseError(ValueError):
    """A plug-in gave an answer that no answer may be; the message names it and says what."""


class FactProvider(Protocol):
    """What an entry point of `timebank.facts` loads to, or makes when called without arguments.

    Attributes:
        api: The version of this protocol that it was written for; see `domain.plugin.API`.
        spec: Its name is the entry point's, and `words` name it in both languages.
    """

    api: int
    spec: FactSpec

    def column(self, *, key: FactKey, on: date, ledger: Cube) -> Column:
        """Return the fact of everybody in the ledger's order, without changing what it is given.

        `ledger` has whole months only, those over by the end of `on`, and nobody's name. There is
        no clock, no session and no network: the same arguments give the same column for ever.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSpec:
    """A kind of grant from outside.

    Attributes:
        name: What rules write as `kind`; the entry point's name.
        kind: As what the ledger keeps it: its life cycle, its approvals and its account.
        facts: How many facts it is told.
        numbers: How many numbers a rule's parameter has for it; 0 for none.
        words: Its name in both languages.
        origin: The package and its version; filled in when it is taken.
    """

    name: str
    kind: GrantKind
    facts: int
    numbers: int
    words: Bilingual
    origin: str = ""


class GrantProvider(Protocol):
    """What an entry point of `timebank.grants` loads to: how much of something is given."""

    api: int
    spec: GrantSpec

    def counts(self, *, facts: Sequence[Column], numbers: tuple[int, ...], on: date) -> Numbers:
        """Return how many everybody is given who meets the rule: whole numbers from 1.

        `facts` are those that the rule names in `of`, unknown ones included; `numbers` what its
        dated, cited parameter says on the day. Who is given anything, the rule's condition says.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorSpec:
    """A way to put claimants in order.

    Attributes:
        name: What rules write as `selector`; the entry point's name.
        criteria: How many facts it ranks by.
        words: How it orders, in both languages, for who asks why not.
        origin: The package and its version; filled in when it is taken.
    """

    name: str
    criteria: int
    words: Bilingual
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Claimants:
    """Those among whom a selector puts an order.

    Attributes:
        facts: Those that the rule names in `by`.
        homes: 12-digit codes; 0 where none is known.
        counts: What each claims.
    """

    facts: tuple[Column, ...]
    homes: Numbers
    counts: Numbers


class SelectorProvider(Protocol):
    """What an entry point of `timebank.selectors` loads to: who comes first."""

    api: int
    spec: SelectorSpec

    def ranks(self, *, claimants: Claimants, on: date) -> Numbers:
        """Return a number for every claimant, the least of which comes first.

        It is made of the claimant's own facts: who else claims may not change it. Equals are
        settled as the rule says.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSpec:
    """A calendar from outside.

    Attributes:
        name: What rules write, in `calendar(name)`; the entry point's name.
        words: Which days it has, in both languages.
        origin: The package and its version; filled in when it is taken.
    """

    name: str
    words: Bilingual
    origin: str = ""


class CalendarProvider(Protocol):
    """What an entry point of `timebank.calendars` loads to: some days."""

    api: int
    spec: CalendarSpec

    def holds(self, *, days: Numbers) -> NDArray[np.bool_]:
        """Return which of some days the calendar has; days are as `date.toordinal` counts them."""
        ...


_grants: dict[str, tuple[GrantProvider, GrantSpec]] = {}
_selectors: dict[str, tuple[SelectorProvider, SelectorSpec]] = {}
_calendars: dict[str, tuple[CalendarProvider, CalendarSpec]] = {}

GRANTS: Mapping[str, tuple[GrantProvider, GrantSpec]] = _grants
"""Kinds of grants from outside, by name; empty unless a package was taken."""

SELECTORS: Mapping[str, tuple[SelectorProvider, SelectorSpec]] = _selectors
"""Selectors from outside, by name."""

CALENDARS: Mapping[str, tuple[CalendarProvider, CalendarSpec]] = _calendars
"""Calendars from outside, by name."""


def add_grant(provider: GrantProvider, spec: GrantSpec) -> None:
    """Make a kind of grant known, before the first pack is read."""
    _grants[spec.name] = provider, spec


def add_selector(provider: SelectorProvider, spec: SelectorSpec) -> None:
    """Make a selector known, before the first pack is read."""
    _selectors[spec.name] = provider, spec


def add_calendar(provider: CalendarProvider, spec: CalendarSpec) -> None:
    """Make a calendar known, before the first pack is read."""
    _calendars[spec.name] = provider, spec


def forget_extensions() -> None:
    """Forget all of them, when one of the plug-ins was refused."""
    for each in (_grants, _selectors, _calendars):
        each.clear()


def counts_of(
    name: str, *, facts: Sequence[Column], numbers: tuple[int, ...], on: date, people: int
) -> Numbers:
    """Return how many everybody is given of a kind from outside.

    Raises:
        BrokenPromiseError: The answer has another form, or is no count of a grant.
    """
    provider, spec = GRANTS[name]
    found = provider.counts(
        facts=tuple((frozen(each[0].view()), frozen(each[1].view())) for each in facts),
        numbers=numbers,
        on=on,
    )
    _check(spec.origin, name, found, people, np.int64)
    if people and not (int(found.min()) >= 1 and int(found.max()) <= COUNT_MAX):
        raise BrokenPromiseError(f"{spec.origin} {name}: a count is from 1 to {COUNT_MAX}")
    return found


def count_of(
    name: str, *, facts: Sequence[Value | None], numbers: tuple[int, ...], on: date
) -> int:
    """Return how many one person is given: the same as among all."""
    columns = [column_of([each]) for each in facts]
    return int(counts_of(name, facts=columns, numbers=numbers, on=on, people=1)[0])


def ranks_of(name: str, *, claimants: Claimants, on: date) -> Numbers:
    """Return the number by which each claimant is ordered.

    Raises:
        BrokenPromiseError: The answer has another form.
    """
    provider, spec = SELECTORS[name]
    shown = Claimants(
        tuple((frozen(each[0].view()), frozen(each[1].view())) for each in claimants.facts),
        frozen(claimants.homes.view()),
        frozen(claimants.counts.view()),
    )
    found = provider.ranks(claimants=shown, on=on)
    _check(spec.origin, name, found, len(claimants.counts), np.int64)
    return found


def claim_ranks(
    name: str,
    *,
    facts: Sequence[Sequence[Value | None]],
    homes: Sequence[int | None],
    counts: Sequence[int],
    on: date,
) -> list[int]:
    """Return the number by which each of some claims is ordered, given one by one."""
    claimants = Claimants(
        tuple(column_of(each) for each in facts),
        np.array([home or 0 for home in homes], dtype=np.int64),
        np.array(counts, dtype=np.int64),
    )
    return [int(rank) for rank in ranks_of(name, claimants=claimants, on=on)]


def holds(name: str, *, on: date) -> bool:
    """Return whether a calendar has a day.

    Raises:
        BrokenPromiseError: The answer has another form.
    """
    provider, spec = CALENDARS[name]
    found = provider.holds(days=frozen(np.array([on.toordinal()], dtype=np.int64)))
    _check(spec.origin, name, found, 1, np.bool_)
    return bool(found[0])


def column_of(values: Sequence[Value | None]) -> Column:
    """Return values as a column: days by their ordinals; 0 where nothing is known."""
    is_known = np.array([value is not None for value in values], dtype=np.bool_)
    numbers = [0 if value is None else number_of(value) for value in values]
    return np.array(numbers, dtype=np.int64), is_known


def _check(origin: str, name: str, found: object, people: int, kind: type[np.generic]) -> None:
    if not isinstance(found, np.ndarray) or found.shape != (people,) or found.dtype != kind:
        form = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found)
        raise BrokenPromiseError(
            f"{origin} {name}: it answered {form}, not {kind.__name__} for {people}"
        )
