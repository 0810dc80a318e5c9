"""A county's numbers for review: each dated, each with its source, each with a default of ours.

The defaults are proposals without a legal basis and say so; an office sets its own from a day on,
and what was decided before that day keeps the number of then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_LEAP_YEAR = 2024

VALUE_MAX = 1_000_000
"""The largest value: more minutes, people or days than any of these can sensibly mean."""

SOURCE_LENGTH_MAX = 200
"""The longest source: the name of a document with its number and date."""


class Threshold(StrEnum):
    """What can be set, in the order in which an office reads them."""

    SECOND_PERSON_MINUTES = "threshold.second_person_minutes"
    SECOND_PERSON_PEOPLE = "threshold.second_person_people"
    CREDIT_DAY_MINUTES = "threshold.credit_day_minutes"
    NO_DEPARTURES_PEOPLE = "threshold.no_departures_people"
    NO_DEPARTURES_PERCENT = "threshold.no_departures_percent"
    FULL_TIME_PEOPLE = "threshold.full_time_people"
    FULL_TIME_PERCENT = "threshold.full_time_percent"
    CROWD_PEOPLE = "threshold.crowd_people"
    AFTERWARDS_PEOPLE = "threshold.afterwards_people"
    AFTERWARDS_MINUTES = "threshold.afterwards_minutes"
    LATE_DAYS = "threshold.late_days"
    LATE_PEOPLE = "threshold.late_people"
    BURST_TARGET = "threshold.burst_target"
    BURST_DAYS = "threshold.burst_days"
    BURST_PERCENT = "threshold.burst_percent"
    SAME_SET_PEOPLE = "threshold.same_set_people"
    SAME_SET_TIMES = "threshold.same_set_times"
    SAME_SET_PERCENT = "threshold.same_set_percent"
    OWN_HOURS_TIMES = "threshold.own_hours_times"
    OWN_HOURS_PERCENT = "threshold.own_hours_percent"
    SAME_PAIR_TIMES = "threshold.same_pair_times"
    SHARED_DEVICE_PEOPLE = "threshold.shared_device_people"
    TWO_PLACES_MINUTES = "threshold.two_places_minutes"
    TWO_CODES_MINUTES = "threshold.two_codes_minutes"
    DAY_MINUTES = "threshold.day_minutes"
    TRAVEL_MINUTES = "threshold.travel_minutes"
    TRAVEL_TIMES = "threshold.travel_times"


class ThresholdRefusal(StrEnum):
    """Why a number was not set, in order of precedence."""

    VALUE = "threshold_setting.value"
    SOURCE = "threshold_setting.source"
    PAST = "threshold_setting.past"


DEFAULTS: dict[Threshold, int] = {
    Threshold.SECOND_PERSON_MINUTES: 1_800,
    Threshold.SECOND_PERSON_PEOPLE: 10,
    Threshold.CREDIT_DAY_MINUTES: 1_440,
    Threshold.NO_DEPARTURES_PEOPLE: 6,
    Threshold.NO_DEPARTURES_PERCENT: 20,
    Threshold.FULL_TIME_PEOPLE: 8,
    Threshold.FULL_TIME_PERCENT: 20,
    Threshold.CROWD_PEOPLE: 30,
    Threshold.AFTERWARDS_PEOPLE: 5,
    Threshold.AFTERWARDS_MINUTES: 10,
    Threshold.LATE_DAYS: 16,
    Threshold.LATE_PEOPLE: 5,
    Threshold.BURST_TARGET: 1_231,
    Threshold.BURST_DAYS: 14,
    Threshold.BURST_PERCENT: 300,
    Threshold.SAME_SET_PEOPLE: 4,
    Threshold.SAME_SET_TIMES: 4,
    Threshold.SAME_SET_PERCENT: 60,
    Threshold.OWN_HOURS_TIMES: 1,
    Threshold.OWN_HOURS_PERCENT: 30,
    Threshold.SAME_PAIR_TIMES: 5,
    Threshold.SHARED_DEVICE_PEOPLE: 3,
    Threshold.TWO_PLACES_MINUTES: 60,
    Threshold.TWO_CODES_MINUTES: 1,
    Threshold.DAY_MINUTES: 960,
    Threshold.TRAVEL_MINUTES: 10,
    Threshold.TRAVEL_TIMES: 2,
}
"""What holds until an office sets its own. Source: proposals of this project; no rule names a
number. Thirty hours, or ten people, by one person's word is what a county can check by telephone;
16 calendar days hold the ten working days of Order 67, article 11, with a weekend to spare; 960
minutes are the 16 hours beyond which nobody serves on one day; what one day is credited at most
is a rule of a county, and without one there is no limit: a day has 1,440 minutes. A screen breaks
and a list is written on paper now and then: an organization is asked about it where it is one shift
in five, or where a crowd was credited so that no office would let it pass unseen. Helpers in a
flood come one by one, a fixed team is complete more seldom than every other time, and an end
written by hand may be the planned one: an hour's overlap is asked about, and a minute where both
were read.
`benchmarks/fraud.py` prints what the numbers find among planted frauds.
"""

MONTH_DAY = frozenset({Threshold.BURST_TARGET})
"""Numbers that mean a day of the year: month times 100 plus day."""


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


def month_day(value: int, *, year: int) -> date | None:
    """Return the day of a year that a number such as 1231 means; None where it means none."""
    month, day = divmod(value, 100)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def decide_setting(setting: ThresholdSetting, *, today: date) -> ThresholdRefusal | None:
    """Return why a number cannot be set, or None: from today on, never for days that are over."""
    if not 1 <= setting.value <= VALUE_MAX:
        return ThresholdRefusal.VALUE
    if setting.threshold in MONTH_DAY and month_day(setting.value, year=_LEAP_YEAR) is None:
        return ThresholdRefusal.VALUE
    if not 1 <= len(setting.source) <= SOURCE_LENGTH_MAX:
        return ThresholdRefusal.SOURCE
    if setting.from_on < today:
        return ThresholdRefusal.PAST
    return None
