"""The closed list of what a rule may know about a person.

A rule names a fact with its window; for a day this becomes a `FactKey`, which says to a query
exactly what to count. What is not in the list cannot be asked, so no rule can reach for a trait
that rules must not use. An unknown fact is None and stays unknown: it never counts as zero.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from timebank.domain.assurance import Assurance
from timebank.policy.bilingual import Bilingual
from timebank.policy.window import Window, WindowKind

Value = int | bool | date
"""What a fact may be."""


class FactType(StrEnum):
    """How a fact's value is written and compared."""

    NUMBER = "number"
    YES_NO = "yes_no"
    DAY = "day"
    REGION = "region"
    """As a fact: a 12-digit division code, int. In a pack: text of 2, 4, 6, 9 or 12 digits."""
    CHOICE = "choice"
    """As a fact: a place in the fact's `choices`, int. In a pack: the word there."""


class FactUnit(StrEnum):
    """What a number counts; the unit also ends the names of parameters that it is compared with."""

    MINUTES = "minutes"
    SERVICES = "services"
    DAYS = "days"
    STARS = "stars"
    YEARS = "years"
    NO_SHOWS = "no_shows"
    CREDITS = "credits"
    POINTS = "points"
    PER_10K = "per_10k"


CERTIFICATE_LEVELS = ("none", "assistant", "intermediate", "senior")
"""Social-work certificates, lowest first: 助理社会工作师, 社会工作师, 高级社会工作师."""

CHOICE_PLACES: Mapping[str, int] = {word: place for place, word in enumerate(CERTIFICATE_LEVELS)}
"""The place of every word that a choice may be; words of different facts differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSpec:
    """The definition of one fact.

    Attributes:
        unit: None where the value is not a number.
        windows: The windows it may be counted over; empty for a fact of the day itself.
        choices: The words of a choice, lowest first.
        has_assurance: A rule may ask for a lowest grade of evidence.
        has_category: A rule may count one field of service only.
        has_rule: A rule names another rule with it.
        has_region: A rule names a division with it.
        has_register: A rule names a register with it, such as a county's list of talents.
        is_external: Somebody else says it, with a date and a source; so it may be unknown.
        can_grow: A person can raise it by doing something, so a gap is worth telling.
        is_always_known: The value is never None.
        undefined: When the value is None.
        words: Its name, where a package from outside brings the fact; None: the catalogs have it.
        origin: That package and its version, such as `timebank-streak 1.0.0`.
    """

    name: str
    type: FactType
    unit: FactUnit | None = None
    windows: frozenset[WindowKind] = frozenset()
    choices: tuple[str, ...] = ()
    has_assurance: bool = False
    has_category: bool = False
    has_rule: bool = False
    has_region: bool = False
    has_register: bool = False
    is_external: bool = False
    can_grow: bool = False
    is_always_known: bool = False
    undefined: str
    words: Bilingual | None = None
    origin: str = ""

    @property
    def question(self) -> str:
        """Return the message code of the question put to a person, such as `fact.minutes`."""
        return f"fact.{self.name}"


_ANY_WINDOW = frozenset(WindowKind)

_NOT_SAID = "no register says so for the day; it is asked for, and never taken for no"

CORE_FACTS: Mapping[str, FactSpec] = {
    spec.name: spec
    for spec in (
        FactSpec(
            name="minutes",
            type=FactType.NUMBER,
            unit=FactUnit.MINUTES,
            windows=_ANY_WINDOW,
            has_assurance=True,
            has_category=True,
            can_grow=True,
            is_always_known=True,
            undefined="never: without a record it is 0",
        ),
        FactSpec(
            name="services",
            type=FactType.NUMBER,
            unit=FactUnit.SERVICES,
            windows=_ANY_WINDOW,
            has_assurance=True,
            has_category=True,
            can_grow=True,
            is_always_known=True,
            undefined="never: without a record it is 0",
        ),
        FactSpec(
            name="first_service_on",
            type=FactType.DAY,
            has_assurance=True,
            undefined="there is no service record yet",
        ),
        FactSpec(
            name="no_shows",
            type=FactType.NUMBER,
            unit=FactUnit.NO_SHOWS,
            windows=_ANY_WINDOW,
            is_always_known=True,
            undefined="never: without a shift that was missed it is 0",
        ),
        FactSpec(
            name="registered_days",
            type=FactType.NUMBER,
            unit=FactUnit.DAYS,
            can_grow=True,
            undefined="the day of enrolment is not known or lies ahead; 0 on that day itself",
        ),
        FactSpec(
            name="registered_on",
            type=FactType.DAY,
            undefined="the day of enrolment is not known or lies ahead",
        ),
        FactSpec(
            name="star",
            type=FactType.NUMBER,
            unit=FactUnit.STARS,
            can_grow=True,
            undefined="no rule that provides it is in force, or one of its own facts is not known",
        ),
        FactSpec(
            name="region",
            type=FactType.REGION,
            undefined="no home is known on the day",
        ),
        FactSpec(
            name="rate_10k",
            type=FactType.NUMBER,
            unit=FactUnit.PER_10K,
            windows=_ANY_WINDOW,
            has_assurance=True,
            undefined=(
                "the town of the home is not known on the day, or no population of it; how many of "
                "every 10,000 who live there served, rounded down; a population counts from its "
                "own date on, whenever it was written down"
            ),
        ),
        FactSpec(
            name="age",
            type=FactType.NUMBER,
            unit=FactUnit.YEARS,
            undefined="nobody said the year of birth; the birthday counts as 31 December",
        ),
        FactSpec(
            name="has_grant",
            type=FactType.YES_NO,
            windows=_ANY_WINDOW,
            has_rule=True,
            is_always_known=True,
            undefined="never: without a grant it is false",
        ),
        FactSpec(
            name="credits",
            type=FactType.NUMBER,
            unit=FactUnit.CREDITS,
            can_grow=True,
            is_always_known=True,
            undefined="never: without an account it is 0",
        ),
        FactSpec(
            name="points",
            type=FactType.NUMBER,
            unit=FactUnit.POINTS,
            can_grow=True,
            is_always_known=True,
            undefined="never: without an account it is 0",
        ),
        FactSpec(
            name="bad_credit",
            type=FactType.YES_NO,
            windows=_ANY_WINDOW,
            is_external=True,
            undefined="no register was asked, or its answer does not cover the window",
        ),
        FactSpec(
            name="certificate_level",
            type=FactType.CHOICE,
            choices=CERTIFICATE_LEVELS,
            is_external=True,
            undefined=_NOT_SAID,
        ),
        FactSpec(
            name="employed_in",
            type=FactType.YES_NO,
            has_region=True,
            is_external=True,
            undefined=_NOT_SAID,
        ),
        FactSpec(
            name="household_in",
            type=FactType.YES_NO,
            has_region=True,
            is_external=True,
            undefined=_NOT_SAID,
        ),
        FactSpec(
            name="party_member",
            type=FactType.YES_NO,
            is_external=True,
            undefined=_NOT_SAID,
        ),
        FactSpec(
            name="listed",
            type=FactType.YES_NO,
            has_register=True,
            is_external=True,
            undefined=_NOT_SAID,
        ),
    )
}
"""Facts of our own, by name."""

_added: dict[str, FactSpec] = {}

FACTS: Mapping[str, FactSpec] = ChainMap(dict(CORE_FACTS), _added)
"""Every fact, by name; our own win."""


def add_fact(spec: FactSpec) -> None:
    """Make a fact from outside known, before the first pack is read.

    Raises:
        ValueError: The name is taken.
    """
    if spec.name in FACTS:
        raise ValueError(f"the fact {spec.name} is there already")
    _added[spec.name] = spec


def forget_facts() -> None:
    """Forget the facts from outside, when one of the plug-ins was refused."""
    _added.clear()


PROTECTED = frozenset(
    {
        "ethnicity",
        "nationality",
        "race",
        "religion",
        "belief",
        "sex",
        "gender",
        "marital_status",
        "pregnancy",
        "disability",
        "health",
        "illness",
        "political_opinion",
        "sexual_orientation",
        "face",
        "fingerprint",
        "bank_account",
        "location_trace",
    }
)
"""What no rule may ask, whoever might supply it.

Source: Personal Information Protection Law, article 28; Labour Law, article 12.
"""


@dataclass(frozen=True, slots=True, order=True)
class FactKey:
    """One fact, exactly as a query must supply it: what, over which days, on what evidence.

    Attributes:
        since: The first local day that counts; None when there is no earliest, and for a fact that
            has no window.
        until: The local day after the last day that counts: at most the day after the day of the
            decision. With `since` equal to it nothing counts.
        assurance_min: The lowest grade of evidence whose records count.
        rule: Of `has_grant`: `pack id/rule id`; elsewhere empty.
        category: Number of the one field of service that counts; 0 for any.
        region: Of facts that name a division: its 12-digit code; elsewhere 0.
        register: Of facts that name a register: its name; elsewhere empty.
    """

    name: str
    since: date | None
    until: date
    assurance_min: Assurance = Assurance.A0
    rule: str = ""
    category: int = 0
    region: int = 0
    register: str = ""

    @property
    def spec(self) -> FactSpec:
        """Return the definition of the fact."""
        return FACTS[self.name]


@dataclass(frozen=True, slots=True)
class FactUse:
    """A fact as a rule names it.

    Attributes:
        window: None exactly where the fact has no windows.
        category, region, register: As in `FactKey`.
    """

    name: str
    window: Window | None = None
    assurance_min: Assurance = Assurance.A0
    rule: str = ""
    category: int = 0
    region: int = 0
    register: str = ""

    @property
    def spec(self) -> FactSpec:
        """Return the definition of the fact."""
        return FACTS[self.name]

    def key(self, *, on: date) -> FactKey:
        """Return the fact for a day."""
        since, until = (
            (None, on + timedelta(days=1)) if self.window is None else self.window.days(on=on)
        )
        return FactKey(
            self.name,
            since,
            until,
            self.assurance_min,
            self.rule,
            self.category,
            self.region,
            self.register,
        )


Facts = Mapping[FactKey, Value | None]
"""What is known of one person. Every key that was asked for is there; None is unknown."""
