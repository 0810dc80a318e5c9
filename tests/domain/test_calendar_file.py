"""What is written is what another library reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from timebank.domain.calendar_file import Event, calendar_file

NINE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)


def event(
    summary: str = "长者食堂帮厨", description: str = "洗菜", location: str = "社区"
) -> Event:
    return Event(
        uid="shift-330424-7@time.example.org",
        starts_at=NINE,
        ends_at=NINE + timedelta(hours=3),
        summary=summary,
        location=location,
        description=description,
        url="https://time.example.org/activities/330424/7",
    )


@settings(max_examples=50, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_any_text_comes_back(summary: str, description: str, location: str) -> None:
    made = event(summary, f"{description}\n{location}", location)
    content = calendar_file([made], name="志愿服务", now=NINE)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    (read,) = Calendar.from_ical(content).walk("VEVENT")
    assert str(read["SUMMARY"]) == summary
    assert str(read["DESCRIPTION"]) == f"{description}\n{location}"
    assert str(read["LOCATION"]) == location
    assert (read.decoded("DTSTART"), read.decoded("DTEND")) == (made.starts_at, made.ends_at)


def test_what_was_called_off_says_so_and_an_empty_calendar_is_one() -> None:
    content = calendar_file([replace(event(), is_cancelled=True)], name="x", now=NINE)
    (read,) = Calendar.from_ical(content).walk("VEVENT")
    assert str(read["STATUS"]) == "CANCELLED"
    assert Calendar.from_ical(calendar_file([], name="x", now=NINE)).walk("VEVENT") == []
