"""Spans are half-open, and days, months and years are those that people in a zone live."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.period import Month, Period, day_start, local_day

HAIYAN = ZoneInfo("Asia/Shanghai")
LONDON = ZoneInfo("Europe/London")
TICK = timedelta(microseconds=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def test_a_year_starts_at_local_midnight() -> None:
    assert Period.of_year(2024, zone=HAIYAN) == Period(utc(2023, 12, 31, 16), utc(2024, 12, 31, 16))


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        (utc(2024, 2, 29, 16) - TICK, 202402),
        (utc(2024, 2, 29, 16), 202403),
        (utc(2023, 12, 31, 16) - TICK, 202312),
        (utc(2023, 12, 31, 16), 202401),
    ],
)
def test_an_instant_belongs_to_the_month_of_its_local_day(instant: datetime, month: int) -> None:
    assert Month.of(instant, zone=HAIYAN) == Month(month)


def test_the_end_is_not_part_of_a_period() -> None:
    year = Period.of_year(2024, zone=HAIYAN)
    months = year.months(zone=HAIYAN)
    assert (len(months), months[0], months[-1]) == (12, Month(202401), Month(202412))
    assert Period(year.start, year.start).months(zone=HAIYAN) == ()
    assert Period(year.start, year.start + TICK).months(zone=HAIYAN) == (Month(202401),)
    assert Period(year.start - TICK, year.start).months(zone=HAIYAN) == (Month(202312),)


def test_a_period_touches_the_months_of_the_zone_that_asks() -> None:
    february = Period.of_days(date(2024, 2, 1), date(2024, 3, 1), zone=HAIYAN)
    assert february.months(zone=HAIYAN) == (Month(202402),)
    assert february.months(zone=ZoneInfo("UTC")) == (Month(202401), Month(202402))


def test_a_day_is_as_long_as_the_zone_makes_it() -> None:
    spring, autumn = (
        Period.of_days(day, day + timedelta(days=1), zone=LONDON)
        for day in (date(2024, 3, 31), date(2024, 10, 27))
    )
    assert spring.end - spring.start == timedelta(hours=23)
    assert autumn.end - autumn.start == timedelta(hours=25)


@pytest.mark.parametrize("number", [202400, 202413, 0, -1])
def test_a_number_without_a_month_is_none(number: int) -> None:
    with pytest.raises(ValueError, match="not a month"):
        Month(number)


def test_a_period_has_instants_in_order() -> None:
    with pytest.raises(ValueError, match="zone"):
        Period(datetime(2024, 1, 1), utc(2024, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="ends before"):
        Period(utc(2024, 1, 2), utc(2024, 1, 1))


@given(st.dates(date(1992, 1, 1), date(2100, 1, 1)))
def test_every_day_starts_in_itself_and_follows_the_day_before(day: date) -> None:
    start = day_start(day, zone=HAIYAN)
    assert start.tzinfo is UTC
    assert local_day(start, zone=HAIYAN) == day
    assert local_day(start - TICK, zone=HAIYAN) == day - timedelta(days=1)


@given(st.integers(1990, 2100), st.integers(1, 12), st.integers(0, 50))
def test_months_follow_each_other(year: int, month: int, count: int) -> None:
    months = [Month(year * 100 + month)]
    for _ in range(count):
        months.append(months[-1].next())
    assert months == sorted(set(months))
    assert months[-1].number // 100 * 12 + months[-1].number % 100 == year * 12 + month + count


@given(seconds=st.integers(0, 2_900_000_000))
def test_an_instant_lies_in_the_month_that_it_is_of(seconds: int) -> None:
    instant = datetime.fromtimestamp(seconds, tz=UTC)
    for zone in (HAIYAN, LONDON):
        month = Month.of(instant, zone=zone)
        lived = month.period(zone=zone)
        assert lived.start <= instant < lived.end
        assert Month.of(lived.end, zone=zone) == month.next()
        assert Month.of(lived.start, zone=zone) == Month.of(lived.end - TICK, zone=zone) == month
