"""On which days people work in China, as a kept package holds the State Council's notices.

The notice for a year comes out in the November before it; the package follows with a release.
"""

from datetime import date

import chinese_calendar  # type: ignore[import-untyped]


def is_working_day(day: date) -> bool | None:
    """Say whether people work on a day; None where the installed package does not know its year."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None
