"""Who counts as active and of whom the rate is taken: dated, cited values, read from files.

A definition never changes silently: another value is another entry of its file, with the day from
which it is valid and what says so. Every number is printed with the definition that made it, and
with the hash over all that the definition says.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.window import WindowKind


class Denominator(StrEnum):
    """Whom a rate is taken of."""

    RESIDENTS = "residents"
    """Everybody who lives in the division, by the newest source not younger than the window."""
    REGISTERED = "registered"
    """Volunteers whose home is there on the window's last day."""
    RESIDENTS_AGED = "residents_aged"
    """Residents of an age band; then only volunteers of that age count as active."""


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Ages from the first to the last, both included, in the year of the window's last day."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last <= 150:
            raise ValueError("not a band of ages")

    def __str__(self) -> str:
        """Return the band as it is written in a definition, such as `18-69`."""
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Who counts as active, and of whom the rate is taken.

    A volunteer is active whose minutes in the window exceed `minutes_above` and whose services are
    at least `services_min`, counting only services of one of the classes in `evidence` whose grade
    is at least `assurance_min`; less what was taken back.

    Attributes:
        id: Stable name, printed with every number made by it.
        valid_from: The first day on which a number may be made by it.
        name: In Chinese and in English, by language.
        window: How long the window is that it is made for.
        home: Which home decides the division: the one on the last day of the window.
        ages: Only of a rate of residents of an age band.
        per: The rate is shown per so many.
        source: What says so, such as a document with its number, or a published figure.
    """

    id: str
    valid_from: date
    name: Mapping[str, str]
    window: WindowKind
    minutes_above: int = 0
    services_min: int = 0
    assurance_min: Assurance = Assurance.A0
    evidence: frozenset[Evidence] = frozenset(Evidence)
    home: str = "last-day"
    denominator: Denominator = Denominator.RESIDENTS
    ages: AgeBand | None = None
    per: int = 10_000
    source: str

    def __post_init__(self) -> None:
        if self.minutes_above < 0 or self.services_min < 0 or self.per < 1 or not self.evidence:
            raise ValueError(f"{self.id}: nobody, or everybody, would count")
        if (self.denominator is Denominator.RESIDENTS_AGED) != (self.ages is not None):
            raise ValueError(f"{self.id}: a band of ages, and of residents of an age band only")
        if self.home != "last-day":
            raise ValueError(f"{self.id}: no such home")
        if not self.source.strip():
            raise ValueError(f"{self.id}: nothing says so")

    def counts(self, assurance: int, measured: int) -> bool:
        """Return whether services of a grade, measured so, count."""
        return assurance >= self.assurance_min and (
            evidence_of(Assurance(assurance), Measured(measured)) in self.evidence
        )

    @property
    def hash(self) -> str:
        """The SHA-256 over all that the definition says, hexadecimal."""
        said = json.dumps(self.said(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()

    def said(self) -> dict[str, Any]:
        """Return all that the definition says, by name, as values of JSON."""
        return {
            "id": self.id,
            "valid_from": self.valid_from.isoformat(),
            "name": dict(self.name),
            "window": self.window.value,
            "minutes_above": self.minutes_above,
            "services_min": self.services_min,
            "assurance_min": self.assurance_min.name,
            "evidence": sorted(each.value for each in self.evidence),
            "home": self.home,
            "denominator": self.denominator.value,
            "ages": None if self.ages is None else str(self.ages),
            "per": self.per,
            "source": self.source,
        }


class DefinitionRefusal(StrEnum):
    """Why an office's definition is not taken, in order of precedence."""

    MALFORMED = "definition.malformed"
    """Something is missing, or nobody, or everybody, would count."""
    NAME_MALFORMED = "definition.name_malformed"
    """The stable name is not small letters, digits and hyphens."""
    NAME_MISSING = "definition.name_missing"
    """It has no name in Chinese, or none in English."""
    NO_SOURCE = "definition.no_source"
    """It does not say what decided it."""
    NOT_LATER = "definition.not_later"
    """Something is valid under the name from that day on, or from a later one: that stays."""
    TOO_EARLY = "definition.too_early"
    """What a name means is changed from today on, never for days that are over."""
    TOO_LATE = "definition.too_late"
    """It would be valid only more than five years from now."""


@dataclass(frozen=True, slots=True)
class DefinitionRefused:
    """The definition is not taken."""

    reason: DefinitionRefusal


_SOURCE_MIN = 6
"""Fewer characters name no document."""

_YEARS_AHEAD_MAX = 5

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def own_name(region: int, slug: str) -> str:
    """Return the stable name of a division's own definition: no other division's is the same."""
    return f"{region}.{slug}"


def decide_definition(
    definition: Definition, *, region: int, known: Iterable[Definition], today: date
) -> Definition | DefinitionRefused:
    """Return the definition if an office may decide it for its division today.

    A new name may be valid for days that are over: nothing was told by it yet. Another value of a
    name holds from a later day, today at the earliest.
    """
    prefix = own_name(region, "")
    slug = definition.id.removeprefix(prefix)
    before = [each.valid_from for each in known if each.id == definition.id]
    if not definition.id.startswith(prefix) or len(slug) > 40 or not _SLUG.fullmatch(slug):
        return DefinitionRefused(DefinitionRefusal.NAME_MALFORMED)
    if not all(definition.name.get(each, "").strip() for each in ("zh", "en")):
        return DefinitionRefused(DefinitionRefusal.NAME_MISSING)
    if len(definition.source.strip()) < _SOURCE_MIN:
        return DefinitionRefused(DefinitionRefusal.NO_SOURCE)
    if before and definition.valid_from <= max(before):
        return DefinitionRefused(DefinitionRefusal.NOT_LATER)
    if before and definition.valid_from < today:
        return DefinitionRefused(DefinitionRefusal.TOO_EARLY)
    if definition.valid_from.year > today.year + _YEARS_AHEAD_MAX:
        return DefinitionRefused(DefinitionRefusal.TOO_LATE)
    return definition


class DefinitionError(ValueError):
    """A file of definitions cannot be read."""


def parse_definitions(content: str) -> tuple[Definition, ...]:
    """Return the definitions of a file in TOML, each a table `[[definition]]`.

    Raises:
        DefinitionError: It is no TOML, or says something that is not understood, or leaves out
            what must be said, or says two things for one day.
    """
    try:
        tables = tomllib.loads(content)["definition"]
        found = tuple(_read(table) for table in tables)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DefinitionError(str(error)) from None
    if len({(each.id, each.valid_from) for each in found}) < len(found):
        raise DefinitionError("one definition says two things from one day on")
    return found


def read_definition(said: Mapping[str, Any]) -> Definition:
    """Return the definition that said all this, such as a publication carries it.

    Raises:
        DefinitionError: Something is missing, or not understood.
    """
    try:
        ages = said["ages"]
        return _read(
            {
                **said,
                "valid_from": date.fromisoformat(said["valid_from"]),
                "ages": None if ages is None else [int(each) for each in ages.split("-")],
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DefinitionError(str(error)) from None


def definition_on(known: Iterable[Definition], name: str, *, on: date) -> Definition | None:
    """Return what a name means on a day: the newest value that is valid by then, or None."""
    valid = [each for each in known if each.id == name and each.valid_from <= on]
    return max(valid, key=lambda each: each.valid_from, default=None)


def _read(table: Mapping[str, Any]) -> Definition:
    unknown = table.keys() - {each.name for each in fields(Definition)}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    read = dict(table)
    if table["name"].keys() != {"zh", "en"}:
        raise ValueError(f"{table['id']}: a name in zh and in en")
    if not isinstance(table["valid_from"], date):
        raise ValueError(f"{table['id']}: valid_from is a day")
    read["window"] = WindowKind(table["window"])
    if "assurance_min" in table:
        read["assurance_min"] = Assurance[table["assurance_min"]]
    if "evidence" in table:
        read["evidence"] = frozenset(map(Evidence, table["evidence"]))
    if "denominator" in table:
        read["denominator"] = Denominator(table["denominator"])
    if table.get("ages") is not None:
        read["ages"] = AgeBand(*table["ages"])
    return Definition(**read)
