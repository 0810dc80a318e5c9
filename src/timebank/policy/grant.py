"""What a rule gives: of which kind, how much, how long it lasts, how often, after whose word."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from timebank.policy.condition import as_list
from timebank.policy.fact import FactUse
from timebank.policy.parameter import Parameter
from timebank.policy.window import add_months, school_year_start

COUNT_MAX = 10**9
"""Greatest count of one grant."""


class GrantKind(StrEnum):
    """What sort of thing is given."""

    HONOUR = "honour"
    """A title, such as a star: held, never spent."""
    PASS = "pass"
    """So many uses of something, such as film tickets."""
    GOODS = "goods"
    SCORE = "score"
    """Points of somebody else's system, such as school enrolment: shown as a signed certificate."""
    MONEY = "money"
    """Fen, always out of a pool, always by two people's word."""
    PLACE = "place"
    """A seat, flat or spot: one of a pool of places, offered for some days."""
    CREDITS = "credits"
    """Time credits, which buy service; the pack's `credit` says on what terms."""
    POINTS = "points"
    """Points of the county's own, which buy courtesies; terms as for credits."""


class Dimension(StrEnum):
    """The three dimensions of courtesies."""

    POLITICAL = "political"
    ECONOMIC = "economic"
    ESTEEM = "esteem"


class Approver(StrEnum):
    """Which office confirms a grant."""

    VILLAGE = "village"
    TOWN = "town"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"


class Every(StrEnum):
    """How often one person may be given the same, and what a pool or a limit is counted over."""

    LIFETIME = "lifetime"
    CALENDAR_YEAR = "calendar_year"
    SCHOOL_YEAR = "school_year"
    """From 1 September; named by the year it begins in."""
    CALENDAR_MONTH = "calendar_month"

    def period_key(self, *, on: date) -> str:
        """Return what tells one giving from the next.

        `lifetime`, a year such as `2024`, a school year such as `2024/25`, a month such as
        `2024-06`.
        """
        match self:
            case Every.LIFETIME:
                return self.value
            case Every.CALENDAR_YEAR:
                return f"{on.year:04}"
            case Every.SCHOOL_YEAR:
                first = school_year_start(on).year
                return f"{first:04}/{(first + 1) % 100:02}"
            case Every.CALENDAR_MONTH:
                return f"{on.year:04}-{on.month:02}"

    def first_day(self, *, on: date) -> date:
        """Return the first day of the period that a day lies in."""
        match self:
            case Every.LIFETIME:
                return date.min
            case Every.CALENDAR_YEAR:
                return date(on.year, 1, 1)
            case Every.SCHOOL_YEAR:
                return school_year_start(on)
            case Every.CALENDAR_MONTH:
                return on.replace(day=1)


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long a grant lasts.

    Attributes:
        from_year_end: Counted from the last day of the calendar year of the grant, not from the
            day of the grant.
    """

    from_year_end: bool
    months: int = 0
    days: int = 0

    def last_day(self, *, on: date) -> date:
        """Return the last day on which a grant of a day may be used.

        Whole months after a year's end run to the last day of their month; months after another
        day to the same day of the month, or to the month's last if it is shorter.
        """
        if self.from_year_end:
            end = add_months(date(on.year, 12, 1), self.months)
            end = end.replace(day=monthrange(end.year, end.month)[1])
        else:
            end = add_months(on, self.months)
        return end + timedelta(days=self.days)


_EXPIRY = re.compile(r"(?:(?P<year>end_of\(calendar_year\))(?:\+(?P<more>.+))?|(?P<plain>[a-z].*))")
_SPAN = re.compile(r"(months|days)\(([1-9][0-9]{0,3})\)")


def parse_expiry(text: str) -> Expiry | None:
    """Return the expiry that a rule's text names, or None if it names none.

    `end_of(calendar_year)`, `months(n)`, `days(n)`, or the first with one of the others added,
    such as `end_of(calendar_year)+months(2)`.
    """
    found = _EXPIRY.fullmatch(text)
    if found is None:
        return None
    from_year_end = found["year"] is not None
    span_text = found["more"] if from_year_end else found["plain"]
    if span_text is None:
        return Expiry(from_year_end)
    span = _SPAN.fullmatch(span_text)
    if span is None:
        return None
    count = int(span[2])
    if span[1] == "months":
        return Expiry(from_year_end, months=count)
    return Expiry(from_year_end, days=count)


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many, written in the rule."""

    count: int


@dataclass(frozen=True, slots=True)
class Dated:
    """As many as a dated, cited number says.

    Attributes:
        parameter: One number, or one for each level of a rule with levels.
    """

    parameter: Parameter


@dataclass(frozen=True, slots=True)
class Cell:
    """As many as a column of the rule's table says in the row that a person is in."""

    column: str


@dataclass(frozen=True, slots=True)
class PerUnit:
    """So many for every full block of a fact, such as one credit for every 60 minutes.

    Attributes:
        rate: A dated pair: how many are given, for how much of the fact.
    """

    use: FactUse
    rate: Parameter

    def count(self, have: int, *, on: date) -> int:
        """Return what somebody gets who has so much; rounded down to full blocks."""
        given, block = self.pair(on=on)
        return max(have, 0) // block * given

    def pair(self, *, on: date) -> tuple[int, int]:
        """Return how many are given, and for how much, on a day."""
        given, block = as_list(self.rate.on(on).value)
        if not isinstance(given, int) or not isinstance(block, int):
            raise ValueError(f"{self.rate.name}: a rate is two whole numbers")
        return given, block


@dataclass(frozen=True, slots=True)
class Made:
    """As many as a kind of grant from outside says; see `extension.GrantProvider`.

    Attributes:
        maker: The kind's name.
        uses: The facts that it is told.
        numbers: What it is told besides, dated and cited; None for nothing.
    """

    maker: str
    uses: tuple[FactUse, ...]
    numbers: Parameter | None

    def numbers_on(self, day: date) -> tuple[int, ...]:
        """Return the numbers of a day."""
        if self.numbers is None:
            return ()
        return tuple(each for each in as_list(self.numbers.on(day).value) if isinstance(each, int))


Amount = Fixed | Dated | Cell | PerUnit | Made


@dataclass(frozen=True, slots=True)
class Grant:
    """What is given.

    Attributes:
        item: The stock, honour, credit or score system that a county keeps an account of.
        amount: How many; for a score, points; for money, fen.
        expiry: None for life.
        pool: Id of the pool it is taken from; empty for what is not limited by one.
        purpose: What the pool's money is for here, one of the pool's purposes; empty where the
            pool names none.
    """

    kind: GrantKind
    item: str
    amount: Amount
    expiry: Expiry | None
    pool: str = ""
    purpose: str = ""


class LimitPer(StrEnum):
    """Whose grants a limit counts."""

    PERSON = "person"
    ALL = "all"


class LimitOf(StrEnum):
    """What a limit counts."""

    TIMES = "times"
    """Grants."""
    UNITS = "units"
    """What they give, added up: fen, tickets, credits."""


@dataclass(frozen=True, slots=True)
class Limit:
    """No more than so much in a period.

    Attributes:
        most: A dated number.
    """

    per: LimitPer
    of: LimitOf
    every: Every
    most: Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A grant ready to be made on a day, without saying to whom.

    Attributes:
        level: Of a rule with levels, from 1; 0 for a rule without.
        period_key: Tells one giving from the next. Of a top-up it ends in `+` and what was paid
            before, so that every rise is paid once.
        count: How many are given; 0 in a column's offer where it differs by person.
        expires_on: The last day of use; None for life.
        publicise_days: How long the names hang out before the office may approve.
        approvals: How many people must approve: 1, or 2 for money.
    """

    pack_id: str
    pack_version: str
    pack_hash: str
    rule_id: str
    level: int
    period_key: str
    on: date
    grant: Grant
    count: int
    expires_on: date | None
    approver: Approver
    publicise_days: int = 0
    approvals: int = 1

    @property
    def key_parts(self) -> tuple[str, str, str, str]:
        """Return pack, rule, level and period: with a person, the same grant is made once.

        The pack's version and hash are left out on purpose: a new version must not give twice.
        """
        return (self.pack_id, self.rule_id, str(self.level), self.period_key)

    def __str__(self) -> str:
        """Return the grant in short, such as `12 film until 2025-02-28`."""
        until = "" if self.expires_on is None else f" until {self.expires_on}"
        return f"{self.count} {self.grant.item}{until}"
