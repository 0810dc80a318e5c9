"""Writes shifts as a calendar program reads them. Source: RFC 5545."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_LINE_OCTETS = 75
"""The longest line in octets, without its end; what is longer goes on behind a space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One shift in a calendar.

    Attributes:
        uid: The same for the same shift for ever, so that a program changes it and adds none.
        is_cancelled: It stays in the calendar, struck through.
    """

    uid: str
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str
    description: str
    url: str
    is_cancelled: bool = False


def calendar_file(events: Iterable[Event], *, name: str, now: datetime) -> bytes:
    """Return a calendar as a file, in UTF-8 with CRLF."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//timebank//shifts//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(event.uid)}",
            f"DTSTAMP:{_instant(now)}",
            f"DTSTART:{_instant(event.starts_at)}",
            f"DTEND:{_instant(event.ends_at)}",
            f"SUMMARY:{_text(event.summary)}",
            f"LOCATION:{_text(event.location)}",
            f"DESCRIPTION:{_text(event.description)}",
            f"URL:{event.url}",
            f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    lines = escaped.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\\n".join("".join(each for each in line if each >= " ") for line in lines)


def _folded(line: str) -> Iterator[bytes]:
    """Yield the parts of a line, none longer than allowed, no letter cut in two."""
    part = b""
    for letter in line:
        octets = letter.encode()
        if len(part) + len(octets) > _LINE_OCTETS:
            yield part
            part = b" "
        part += octets
    yield part
