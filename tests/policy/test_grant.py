"""A grant lasts as long as the rule says, and is given once in its period."""

from datetime import date

import pytest
from tests.policy import samples

from timebank.policy.grant import Every, parse_expiry

ROWS = [
    # expires                            granted       last day
    ("end_of(calendar_year)",            "2024-06-15", "2024-12-31"),
    ("end_of(calendar_year)+months(2)",  "2024-06-15", "2025-02-28"),
    ("end_of(calendar_year)+months(2)",  "2023-12-31", "2024-02-29"),
    ("end_of(calendar_year)+days(15)",   "2024-06-15", "2025-01-15"),
    ("months(12)",                       "2024-02-29", "2025-02-28"),
    ("days(30)",                         "2024-12-31", "2025-01-30"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "on", "last_day"), ROWS)
def test_expiry(text: str, on: str, last_day: str) -> None:
    expiry = parse_expiry(text)

    assert expiry is not None
    assert expiry.last_day(on=date.fromisoformat(on)).isoformat() == last_day


@pytest.mark.parametrize(
    "text", ["never", "end_of(school_year)", "months(0)", "months(2)+days(3)", "12"]
)
def test_what_is_no_expiry_is_none(text: str) -> None:
    assert parse_expiry(text) is None


def test_a_period_key_tells_one_giving_from_the_next() -> None:
    assert Every.LIFETIME.period_key(on=date(2024, 6, 15)) == "lifetime"
    assert Every.CALENDAR_YEAR.period_key(on=date(2024, 6, 15)) == "2024"


def test_a_new_version_offers_under_the_same_key() -> None:
    first = samples.read()
    second = samples.read(pack=samples.HEAD.replace('version = "1"', 'version = "2"'))
    offers = [
        pack.offer(pack.rules[0], pack.rules[0].steps[0], on=date(2024, 6, 15))
        for pack in (first, second)
    ]

    assert first.hash != second.hash
    assert offers[0].key_parts == offers[1].key_parts == ("sample", "film", "0", "2024")
    assert (offers[0].pack_hash, offers[0].expires_on) == (first.hash, None)
