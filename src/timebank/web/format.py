"""How amounts read on a page: minutes, instants, counts, rates, in the reader's language.

Storage knows whole minutes, UTC instants and whole counts; people know 3 小时 20 分, 今天 14:00
and 1,576 / 万人. Nothing here reads the clock: `now` and `today` are arguments. Between a number
and its unit stands a no-break space.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from timebank.web.catalog import Language

ZONE = ZoneInfo("Asia/Shanghai")
"""Where the days of a book begin unless the book says otherwise."""

_WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEAR_DAYS = {
    "zh": {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"},
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
}
_MINUS = "\N{MINUS SIGN}"
_GLUE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that no line ends between them."""


def count(number: int) -> str:
    """Return a whole number with its thousands marked, such as `72,000`, in either language."""
    return f"{number:,}".replace("-", _MINUS)


def short_count(number: int, *, language: Language) -> str:
    """Return a large number in short form, such as `1,139 万` or `11.4 million`.

    Rounded half up: to whole 万 from a hundred 万 on, to a tenth of a 万 below; in English to a
    tenth of a million. Smaller numbers are printed in full.
    """
    if language == "zh":
        if number < 100_000:
            return count(number)
        if number >= 1_000_000:
            return f"{count((number + 5_000) // 10_000)}{_GLUE}万"
        tenths = (number + 500) // 1_000
        return f"{tenths // 10}.{tenths % 10}{_GLUE}万"
    if number < 1_000_000:
        return count(number)
    tenths = (number + 50_000) // 100_000
    return f"{count(tenths // 10)}.{tenths % 10}{_GLUE}million"


def duration_parts(minutes: int, *, language: Language) -> list[tuple[str, str]]:
    """Return a length of time as `(number, unit)` pairs, for printing the numbers large.

    Shape: hours before minutes; a part that is zero is left out, except that no time at all is one
        pair of zero hours. A minus sign stands before the first number.
    """
    hour, minute = ("小时", "分") if language == "zh" else ("h", "min")
    sign = _MINUS if minutes < 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    parts = []
    if hours or not rest:
        parts.append((count(hours), hour))
    if rest:
        parts.append((str(rest), minute))
    first_number, first_unit = parts[0]
    return [(sign + first_number, first_unit), *parts[1:]]


def duration(minutes: int, *, language: Language) -> str:
    """Return a length of time, such as `3 小时 20 分` or `3 h 20 min`."""
    return " ".join(
        f"{number}{_GLUE}{unit}" for number, unit in duration_parts(minutes, language=language)
    )


def hours(minutes: int, *, language: Language) -> str:
    """Return a large amount of time in whole hours, such as `1,139 万小时` or `11.4 million h`.

    Rounded down to whole hours, so that a sum is never shown as more than was served.
    """
    short = short_count(minutes // 60, language=language)
    return (
        f"{short}小时"
        if short.endswith("万")
        else f"{short}{_GLUE}{'小时' if language == 'zh' else 'h'}"
    )


def percent(part: int, whole: int) -> str:
    """Return a share, such as `15.8 %`, rounded half up to a tenth.

    Raises:
        ZeroDivisionError: There is no whole: the caller says `not known`, not zero.
    """
    tenths = (part * 2_000 + whole) // (whole * 2)
    return f"{count(tenths // 10)}.{tenths % 10}{_GLUE}%"


def rate_per_10k(active: int, residents: int) -> str:
    """Return people per ten thousand residents, such as `1,576`, rounded half up.

    Raises:
        ZeroDivisionError: Nobody lives there: the caller says `not known`, not zero.
    """
    return count((active * 20_000 + residents) // (residents * 2))


def rate(active: int, residents: int, *, language: Language) -> str:
    """Return an active rate in full, such as `1,576 / 万人 (15.8 %)`."""
    per = f"/{_GLUE}万人" if language == "zh" else f"per{_GLUE}10,000"
    return f"{rate_per_10k(active, residents)}{_GLUE}{per} ({percent(active, residents)})"


def shares(amounts: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return three amounts as whole percents that sum to 100, or to 0 when there is nothing.

    Rounded by largest remainder; of equal remainders the earlier gains.
    """
    whole = sum(amounts)
    if not whole:
        return (0, 0, 0)
    floors = [amount * 100 // whole for amount in amounts]
    by_remainder = sorted(range(3), key=lambda i: (-(amounts[i] * 100 % whole), i))
    for i in by_remainder[: 100 - sum(floors)]:
        floors[i] += 1
    return (floors[0], floors[1], floors[2])


def local_day(at: datetime, *, zone: ZoneInfo = ZONE) -> date:
    """Return the day that people in the zone call the day of an instant."""
    return at.astimezone(zone).date()


def clock(at: datetime, *, zone: ZoneInfo = ZONE) -> str:
    """Return the time of day, such as `09:02`."""
    return f"{at.astimezone(zone):%H:%M}"


def full_day(on: date, *, language: Language) -> str:
    """Return a day with its year, such as `2024年11月22日` or `22 Nov 2024`."""
    if language == "zh":
        return f"{on.year}年{on.month}月{on.day}日"
    return f"{on.day} {_MONTHS_EN[on.month - 1]} {on.year}"


def weekday(on: date, *, language: Language) -> str:
    """Return the day of the week, such as `周五` or `Fri`."""
    return _WEEKDAYS[language][on.weekday()]


def day(on: date, *, today: date, language: Language) -> str:
    """Return a day as people say it: `今天`, `11月22日 周五`; the year only when it is another."""
    near = _NEAR_DAYS[language].get((on - today).days)
    if near is not None:
        return near
    named = weekday(on, language=language)
    if language == "zh":
        plain = f"{on.month}月{on.day}日" if on.year == today.year else full_day(on, language="zh")
        return f"{plain} {named}"
    plain = f"{on.day} {_MONTHS_EN[on.month - 1]}"
    return f"{named} {plain}" if on.year == today.year else f"{named} {plain} {on.year}"


def month(year: int, number: int, *, language: Language) -> str:
    """Return a month, such as `2024年11月` or `Nov 2024`."""
    return f"{year}年{number}月" if language == "zh" else f"{_MONTHS_EN[number - 1]} {year}"


def instant(at: datetime, *, now: datetime, language: Language, zone: ZoneInfo = ZONE) -> str:
    """Return a moment, such as `今天 14:00` or `Fri 22 Nov 14:00`."""
    on = at.astimezone(zone).date()
    today = now.astimezone(zone).date()
    return f"{day(on, today=today, language=language)} {clock(at, zone=zone)}"


def times(starts_at: datetime, ends_at: datetime, *, zone: ZoneInfo = ZONE) -> str:
    """Return the two ends within one day, such as `14:00–17:00`.

    A shift past midnight shows how many days later it ends, such as `22:00–06:00 +1`.
    """
    days = (ends_at.astimezone(zone).date() - starts_at.astimezone(zone).date()) // timedelta(
        days=1
    )
    later = f" +{days}" if days else ""
    return f"{clock(starts_at, zone=zone)}\N{EN DASH}{clock(ends_at, zone=zone)}{later}"


def span(
    starts_at: datetime,
    ends_at: datetime,
    *,
    now: datetime,
    language: Language,
    zone: ZoneInfo = ZONE,
) -> str:
    """Return a shift's time, such as `今天 14:00–17:00`."""
    on = starts_at.astimezone(zone).date()
    today = now.astimezone(zone).date()
    return f"{day(on, today=today, language=language)} {times(starts_at, ends_at, zone=zone)}"


def address(town: str | None, place: str) -> str:
    """Return where to go: the town before the place, unless the place says it itself."""
    if not town or place.startswith(town):
        return place
    return f"{town} · {place}" if place else town


def masked_name(name: str) -> str:
    """Return a name as strangers may see it on a wall: `王*`, `王*芳`, `A*`.

    The first letter always stays, the last one from three letters on; one star for all between.
    """
    letters = name.strip()
    if len(letters) <= 1:
        return letters
    return f"{letters[0]}*{letters[-1] if len(letters) > 2 else ''}"


def masked_phone(phone: str) -> str:
    """Return a number as its owner recognises it, such as `138****0000`."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "*" * len(phone)
