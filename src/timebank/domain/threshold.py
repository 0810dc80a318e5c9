"""A county's numbers for review: each dated, each with its source, each with a default of ours.

The defaults are proposals without a legal basis and say so; an office sets its own from a day on,
and what was decided before that day keeps the number of then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

VALUE_MAX = 1_000_000
"""The largest value: more minutes, people or days than any of these can sensibly mean."""

SOURCE_LENGTH_MAX = 200
"""The longest source: the name of a document with its number and date."""


class Threshold(StrEnum):
    """What can be set, in the order in which an office reads them."""

    SECOND_PERSON_MINUTES = "threshold.second_person_minutes"
    SECOND_PERSON_PEOPLE = "threshold.second_person_people"


class ThresholdRefusal(StrEnum):
    """Why a number was not set, in order of precedence."""

    VALUE = "threshold_setting.value"
    SOURCE = "threshold_setting.source"
    PAST = "threshold_setting.past"


DEFAULTS: dict[Threshold, int] = {
    Threshold.SECOND_PERSON_MINUTES: 1_800,
    Threshold.SECOND_PERSON_PEOPLE: 10,
}
"""What holds until an office sets its own. Source: proposals of this project; no rule names a
number. Thirty hours, or ten people, by one person's word is what a county can check by telephone.
"""


@dataclass(frozen=True, slots=True)
class ThresholdSetting:
    """A number that holds from a day on, until a later one.

    Attributes:
        source: The document that says so.
    """

    threshold: Threshold
    from_on: date
    value: int
    source: str


def in_force(
    settings: Iterable[ThresholdSetting], *, on: date
) -> dict[Threshold, ThresholdSetting | None]:
    """Return for every threshold the setting that holds on a day; None where the default does."""
    found: dict[Threshold, ThresholdSetting | None] = dict.fromkeys(Threshold)
    for each in sorted(settings, key=lambda setting: setting.from_on):
        if each.from_on <= on:
            found[each.threshold] = each
    return found


def values_on(settings: Iterable[ThresholdSetting], *, on: date) -> dict[Threshold, int]:
    """Return every threshold's value on a day."""
    return {
        threshold: DEFAULTS[threshold] if setting is None else setting.value
        for threshold, setting in in_force(settings, on=on).items()
    }


def decide_setting(setting: ThresholdSetting, *, today: date) -> ThresholdRefusal | None:
    """Return why a number cannot be set, or None: from today on, never for days that are over."""
    if not 1 <= setting.value <= VALUE_MAX:
        return ThresholdRefusal.VALUE
    if not 1 <= len(setting.source) <= SOURCE_LENGTH_MAX:
        return ThresholdRefusal.SOURCE
    if setting.from_on < today:
        return ThresholdRefusal.PAST
    return None
