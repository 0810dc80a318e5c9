"""What other offices say about a person, as facts that rules may ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from timebank.domain import region
from timebank.policy.fact import CERTIFICATE_LEVELS, FACTS, FactKey, FactType, Value
from timebank.policy.form import NAME

_YES_NO = {"yes": 1, "no": 0, "是": 1, "否": 0}

_CERTIFICATES = {word: place for place, word in enumerate(CERTIFICATE_LEVELS)} | {
    "无": 0,
    "助理社会工作师": 1,
    "社会工作师": 2,
    "高级社会工作师": 3,
}

EVER = date(1900, 1, 1)
"""Whoever says that there was nothing since this day says it of the whole life."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said of a person.

    Attributes:
        through_on: None until something else is said.
        value: 0 or 1, or the place of the choice.
    """

    fact: str
    detail: str
    from_on: date
    through_on: date | None
    value: int


def value_of(fact: str, detail: str, text: str) -> int | str:
    """Return the value that a register's words mean, or the column that is not understood.

    Facts are those of `FACTS` that somebody else says.
    """
    spec = FACTS.get(fact)
    if spec is None or not spec.is_external:
        return "fact"
    if spec.has_region:
        try:
            region.parse_code(detail)
        except ValueError:
            return "detail"
    elif spec.has_register != bool(detail) or (detail and not NAME.fullmatch(detail)):
        return "detail"
    words = _CERTIFICATES if spec.type is FactType.CHOICE else _YES_NO
    return words.get(text, "value")


def detail_of(fact: str, detail: str) -> str:
    """Return a detail as it is kept: division codes with all their digits."""
    return str(region.parse_code(detail)) if FACTS[fact].has_region else detail


def fact_of(said: Sequence[Said], key: FactKey) -> Value | None:
    """Return what things said, oldest first, come to for a fact; None where nobody said.

    Of one day of the past, what was said last of the newest first day counts. Over a window, a yes
    on any of its days is yes; no is no only where it was said of all of its days.
    """
    spec = key.spec
    detail = str(key.region) if spec.has_region else key.register
    own = [each for each in said if each.fact == key.name and each.detail == detail]
    last = key.until - timedelta(days=1)
    if spec.windows:
        return _over_window(own, since=key.since or EVER, last=last)
    found: Said | None = None
    for each in own:
        if each.from_on <= last and (found is None or each.from_on >= found.from_on):
            found = each
    if found is None or (found.through_on is not None and found.through_on < last):
        return None
    return bool(found.value) if spec.type is FactType.YES_NO else found.value


def _over_window(said: Sequence[Said], *, since: date, last: date) -> bool | None:
    newest = {each.from_on: each for each in said}
    if any(
        each.value and each.from_on <= last and (each.through_on or last) >= since
        for each in newest.values()
    ):
        return True
    reached = since
    for each in sorted(newest.values(), key=lambda one: one.from_on):
        through = each.through_on or last
        if not each.value and each.from_on <= reached <= through:
            reached = through + timedelta(days=1)
    return False if reached > last else None
