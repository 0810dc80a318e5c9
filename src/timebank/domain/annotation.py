"""A note beside a day of a chart: what may be noted."""

from datetime import date
from enum import StrEnum

from timebank.domain.writing import cleaned_line

TEXT_MAX = 120
"""A note is read beside a chart, not instead of it."""


class AnnotationRefusal(StrEnum):
    """Why a note is not kept, in order of precedence."""

    DAY_MISSING = "annotation.day_missing"
    DAY_IN_FUTURE = "annotation.day_in_future"
    TEXT_MISSING = "annotation.text_missing"
    TEXT_TOO_LONG = "annotation.text_too_long"


def decide_annotation(
    *, on_day: date | None, text: str, today: date
) -> tuple[date, str] | AnnotationRefusal:
    """Return the day and the text that are kept, or why nothing is."""
    if on_day is None:
        return AnnotationRefusal.DAY_MISSING
    if on_day > today:
        return AnnotationRefusal.DAY_IN_FUTURE
    words = cleaned_line(text)
    if not words:
        return AnnotationRefusal.TEXT_MISSING
    if len(words) > TEXT_MAX:
        return AnnotationRefusal.TEXT_TOO_LONG
    return on_day, words
