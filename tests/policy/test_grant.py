"""A grant lasts as long as the rule says, and is given once in its period."""

from datetime import date

import pytest
from tests.policy import samples

from timebank.policy.grant import Every, parse_expiry
from timebank.policy.schedule import parse_schedule

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


PERIODS = [
    # every                on            key         first day
    (Every.LIFETIME,       "2024-06-15", "lifetime", "0001-01-01"),
    (Every.CALENDAR_YEAR,  "2024-06-15", "2024",     "2024-01-01"),
    (Every.SCHOOL_YEAR,    "2024-08-31", "2023/24",  "2023-09-01"),
    (Every.SCHOOL_YEAR,    "1999-09-01", "1999/00",  "1999-09-01"),
    (Every.CALENDAR_MONTH, "2024-06-15", "2024-06",  "2024-06-01"),
]  # fmt: skip


@pytest.mark.parametrize(("every", "on", "key", "first_day"), PERIODS)
def test_a_period_key_tells_one_giving_from_the_next(
    every: Every, on: str, key: str, first_day: str
) -> None:
    day = date.fromisoformat(on)

    assert every.period_key(on=day) == key
    assert every.first_day(on=day).isoformat() == first_day
    assert every.period_key(on=every.first_day(on=day)) == key


SCHEDULES = [
    # schedule                    due on        not yet on
    ("daily",                     "2024-01-01", None),
    ("event(certificate_added)",  "2024-01-01", None),
    ("monthly(01)",               "2024-05-01", None),
    ("monthly(15)",               "2024-05-15", "2024-05-14"),
    ("yearly(03-05)",             "2024-03-05", "2024-03-04"),
    ("yearly(03-05)",             "2024-12-31", "2025-03-04"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "due_on", "not_on"), SCHEDULES)
def test_a_schedule_says_from_when_a_rule_may_be_run(
    text: str, due_on: str, not_on: str | None
) -> None:
    schedule = parse_schedule(text)

    assert schedule is not None
    assert str(schedule) == text
    assert schedule.is_due(on=date.fromisoformat(due_on))
    assert not_on is None or not schedule.is_due(on=date.fromisoformat(not_on))


@pytest.mark.parametrize(
    "text", ["hourly", "monthly(29)", "monthly(1)", "yearly(02-30)", "event(rain)", "event()"]
)
def test_what_is_no_schedule_is_none(text: str) -> None:
    assert parse_schedule(text) is None


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
