"""Amounts read the same wherever they are printed: rounded as stated, in both languages."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from timebank.web import format as shown

GLUE = "\N{NO-BREAK SPACE}"
NOW = datetime(2024, 11, 22, 4, 0, tzinfo=UTC)  # noon in Shanghai, a Friday


def plain(text: str) -> str:
    return text.replace(GLUE, " ")


@pytest.mark.parametrize(
    ("minutes", "chinese", "english"),
    [
        (0, "0 小时", "0 h"),
        (59, "59 分", "59 min"),
        (60, "1 小时", "1 h"),
        (200, "3 小时 20 分", "3 h 20 min"),
        (60_001, "1,000 小时 1 分", "1,000 h 1 min"),
        (-200, "\N{MINUS SIGN}3 小时 20 分", "\N{MINUS SIGN}3 h 20 min"),
        (-5, "\N{MINUS SIGN}5 分", "\N{MINUS SIGN}5 min"),
    ],
)
def test_minutes_read_as_hours_and_minutes(minutes: int, chinese: str, english: str) -> None:
    assert plain(shown.duration(minutes, language="zh")) == chinese
    assert plain(shown.duration(minutes, language="en")) == english


def test_a_line_ends_between_hours_and_minutes_but_never_before_a_unit() -> None:
    assert shown.duration(200, language="zh") == f"3{GLUE}小时 20{GLUE}分"


@pytest.mark.parametrize(
    ("number", "chinese", "english"),
    [
        (72_000, "72,000", "72,000"),
        (99_999, "99,999", "99,999"),
        (140_000, "14.0 万", "140,000"),
        (149_499, "14.9 万", "149,499"),
        (149_500, "15.0 万", "149,500"),
        (11_390_000, "1,139 万", "11.4 million"),
        (3_700_412, "370 万", "3.7 million"),
    ],
)
def test_large_counts_have_a_short_form(number: int, chinese: str, english: str) -> None:
    assert plain(shown.short_count(number, language="zh")) == chinese
    assert plain(shown.short_count(number, language="en")) == english


def test_large_times_are_whole_hours_rounded_down() -> None:
    assert plain(shown.hours(11_390_000 * 60 + 59, language="zh")) == "1,139 万小时"
    assert plain(shown.hours(11_390_000 * 60, language="en")) == "11.4 million h"
    assert plain(shown.hours(119, language="zh")) == "1 小时"


def test_the_reference_rate_reads_as_published() -> None:
    assert shown.rate_per_10k(72_000, 456_775) == "1,576"
    assert plain(shown.percent(72_000, 456_775)) == "15.8 %"
    assert plain(shown.rate(72_000, 456_775, language="zh")) == "1,576 / 万人 (15.8 %)"
    assert plain(shown.rate(72_000, 456_775, language="en")) == "1,576 per 10,000 (15.8 %)"


def test_rates_round_half_up() -> None:
    assert shown.rate_per_10k(1, 20_000) == "1"
    assert shown.rate_per_10k(1, 20_001) == "0"
    assert plain(shown.percent(1, 2_000)) == "0.1 %"


def test_an_unknown_whole_is_not_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        shown.percent(0, 0)
    with pytest.raises(ZeroDivisionError):
        shown.rate_per_10k(5, 0)


@pytest.mark.parametrize(
    ("amounts", "percents"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (34, 33, 33)),
        ((2, 1, 0), (67, 33, 0)),
        ((1, 999, 0), (0, 100, 0)),
        ((72, 19, 9), (72, 19, 9)),
    ],
)
def test_shares_sum_to_the_whole(
    amounts: tuple[int, int, int], percents: tuple[int, int, int]
) -> None:
    assert shown.shares(amounts) == percents


@pytest.mark.parametrize(
    ("on", "chinese", "english"),
    [
        (date(2024, 11, 21), "昨天", "yesterday"),
        (date(2024, 11, 22), "今天", "today"),
        (date(2024, 11, 23), "明天", "tomorrow"),
        (date(2024, 11, 24), "后天", "Sun 24 Nov"),
        (date(2024, 11, 25), "11月25日 周一", "Mon 25 Nov"),
        (date(2023, 12, 31), "2023年12月31日 周日", "Sun 31 Dec 2023"),
    ],
)
def test_days_read_as_people_say_them(on: date, chinese: str, english: str) -> None:
    today = date(2024, 11, 22)
    assert shown.day(on, today=today, language="zh") == chinese
    assert shown.day(on, today=today, language="en") == english


def test_instants_are_told_in_the_time_of_the_place() -> None:
    late = datetime(2024, 11, 22, 16, 30, tzinfo=UTC)  # past midnight in Shanghai
    assert shown.instant(late, now=NOW, language="zh") == "明天 00:30"
    assert shown.instant(late, now=NOW, language="en") == "tomorrow 00:30"
    assert shown.instant(late, now=NOW, language="zh", zone=ZoneInfo("UTC")) == "今天 16:30"


def test_spans_name_the_day_once() -> None:
    starts, ends = datetime(2024, 11, 22, 6, tzinfo=UTC), datetime(2024, 11, 22, 9, tzinfo=UTC)
    assert shown.span(starts, ends, now=NOW, language="zh") == "今天 14:00–17:00"
    night = datetime(2024, 11, 22, 22, tzinfo=UTC)
    assert shown.times(datetime(2024, 11, 22, 14, tzinfo=UTC), night) == "22:00–06:00 +1"


def test_months_and_full_days() -> None:
    assert shown.month(2024, 11, language="zh") == "2024年11月"
    assert shown.month(2024, 11, language="en") == "Nov 2024"
    assert shown.full_day(date(2024, 3, 5), language="zh") == "2024年3月5日"
    assert shown.full_day(date(2024, 3, 5), language="en") == "5 Mar 2024"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("", ""),
        ("王", "王"),
        ("王芳", "王*"),
        ("王小芳", "王*芳"),
        ("阿依古丽", "阿*丽"),
        (" 王芳 ", "王*"),
    ],
)
def test_names_are_masked_for_strangers(name: str, masked: str) -> None:
    assert shown.masked_name(name) == masked


def test_phones_are_masked_and_short_ones_hidden_whole() -> None:
    assert shown.masked_phone("13800000000") == "138****0000"
    assert shown.masked_phone("12345") == "*****"
