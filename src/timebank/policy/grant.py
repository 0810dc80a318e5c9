"""What a rule gives, how long it lasts, how often it is given."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from timebank.policy.window import add_months

COUNT_MAX = 10**9
"""Greatest count of one grant."""


class GrantKind(StrEnum):
    """What sort of thing is given."""

    HONOUR = "honour"
    PASS = "pass"
    GOODS = "goods"
    SCORE = "score"
    MONEY = "money"


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
    """How often one person may be given the same."""

    LIFETIME = "lifetime"
    CALENDAR_YEAR = "calendar_year"

    def period_key(self, *, on: date) -> str:
        """Return what tells one giving from the next: `lifetime`, or the year, such as `2024`."""
        match self:
            case Every.LIFETIME:
                return self.value
            case Every.CALENDAR_YEAR:
                return f"{on.year:04}"


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
class Grant:
    """What is given.

    Attributes:
        item: The stock, honour or score system that a county keeps an account of.
        count: How many; for a score, points; for money, fen.
        expiry: None for life.
    """

    kind: GrantKind
    item: str
    count: int
    expiry: Expiry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A grant ready to be made on a day, without saying to whom.

    Attributes:
        level: Of a rule with levels, from 1; 0 for a rule without.
        period_key: Tells one giving from the next.
        expires_on: The last day of use; None for life.
    """

    pack_id: str
    pack_version: str
    pack_hash: str
    rule_id: str
    level: int
    period_key: str
    on: date
    grant: Grant
    expires_on: date | None
    approver: Approver

    @property
    def key_parts(self) -> tuple[str, str, str, str]:
        """Return pack, rule, level and period: with a person, the same grant is made once.

        The pack's version and hash are left out on purpose: a new version must not give twice.
        """
        return (self.pack_id, self.rule_id, str(self.level), self.period_key)

    def __str__(self) -> str:
        """Return the grant in short, such as `12 film until 2025-02-28`."""
        until = "" if self.expires_on is None else f" until {self.expires_on}"
        return f"{self.grant.count} {self.grant.item}{until}"
