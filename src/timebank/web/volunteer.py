"""The volunteer's own pages: hours, finding something to do, proof, honours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from timebank.web.parts import Choice, Evidence, EvidenceShares, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStar:
    """The ring on the home page.

    Attributes:
        percent: How full the ring is, 0 to 100, rounded down so that only a reached star is full.
        stars: Stars held today.
        title: The star to come, such as `三星志愿者`.
        missing: Exactly what is missing, such as `86 小时 40 分`.
        have: What counts so far.
        need: The threshold.
        by: The last day on which it can be reached; empty when there is none.
    """

    percent: int
    stars: int
    title: str
    missing: str
    have: str
    need: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayShift:
    """Today's shift with its one button.

    Attributes:
        state: Where the volunteer stands, which picks colour and icon.
        hint: What to do next, one sentence.
    """

    activity: str
    time: str
    place: str
    state: Literal["upcoming", "open", "arrived", "left"]
    hint: str
    action_label: str
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """One service in short."""

    activity: str
    day: str
    duration: str
    evidence: Evidence
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """Something the volunteer can use now.

    Attributes:
        detail: What it gives and until when.
    """

    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """What `volunteer/home.html` shows.

    Attributes:
        hours: This year's time as `(number, unit)` pairs.
        life_total: All time ever, in words.
        next_star: None when every star is held or no policy grants stars.
        today: None when there is no shift today.
        upcoming: Later shifts the volunteer is signed up for: time as label.
        records: The newest three.
    """

    name: str
    number: str
    year: str
    hours: Sequence[tuple[str, str]]
    life_total: str
    next_star: NextStar | None
    today: TodayShift | None
    upcoming: Sequence[tuple[str, Link]]
    records: Sequence[RecordLine]
    benefits: Sequence[Benefit]
    activities_url: str
    records_url: str
    honours_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTab:
    """One day of the strip above the list.

    Attributes:
        count: Shifts that day.
    """

    label: str
    weekday: str
    url: str
    count: int
    is_selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftCard:
    """One shift that can be opened.

    Attributes:
        places: Such as `还有 6 个名额`.
        state: Whether and how one can still join.
    """

    activity: str
    url: str
    time: str
    duration: str
    place: str
    town: str
    field: str
    organization: str
    places: str
    state: Literal["open", "full", "signed_up", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftDay:
    """The shifts of one day, by start."""

    label: str
    shifts: Sequence[ShiftCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitiesPage:
    """What `volunteer/activities.html` shows.

    Attributes:
        action_url: Where the filter is sent by GET (`field`, `town`, `day` hidden).
        day: The selected day as sent in the query; empty for every day.
        found: How many, as a sentence.
        more_url: The next page; empty on the last.
        clear_url: Without any filter; empty when there is none.
    """

    action_url: str
    day: str
    days: Sequence[DayTab]
    fields: Sequence[Choice]
    towns: Sequence[Choice]
    found: str
    groups: Sequence[ShiftDay]
    more_url: str
    clear_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShift:
    """One shift of an activity with what the volunteer may do.

    Attributes:
        filled_percent: How full it is, 0 to 100.
        places: Such as `14 / 20 人`.
        action_url: Where signing up or withdrawing is posted; empty when neither is possible.
        note: Why not, or what to know; empty for nothing.
    """

    day: str
    time: str
    duration: str
    place: str
    places: str
    filled_percent: int
    state: Literal["open", "full", "signed_up", "arrived", "left", "ended", "cancelled"]
    action_url: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPage:
    """What `volunteer/activity.html` shows.

    Attributes:
        description: Paragraphs.
        error: Why the last sign-up or withdrawal was refused; empty for none.
        way_out: What to do about it; empty for none.
    """

    title: str
    organization: str
    field: str
    town: str
    place: str
    description: Sequence[str]
    shifts: Sequence[ActivityShift]
    activities_url: str
    error: str = ""
    way_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One service with its proof.

    Attributes:
        day: Such as `11月22日 周六`.
        duration: What was credited; with a minus sign for a reversal.
        arrived: How and when the beginning was set, such as `13:58 扫码`.
        left: The same for the end.
        grade: The stored grade in words, such as `A2`.
        entry: The ledger entry's number.
        recorded: When it was written.
        correction: What a later entry changed; empty when nothing did.
        report_url: Where an error is reported; empty when the time for it is over.
    """

    activity: str
    day: str
    duration: str
    evidence: Evidence
    field: str
    organization: str
    person_in_charge: str
    place: str
    time: str
    arrived: str
    left: str
    grade: str
    entry: str
    recorded: str
    correction: str
    report_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMonth:
    """The services of one month, newest first."""

    label: str
    total: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsPage:
    """What `volunteer/records.html` shows.

    Attributes:
        hours: The year's time as `(number, unit)` pairs.
        services: How many services, in words.
    """

    year: str
    years: Sequence[Link]
    hours: Sequence[tuple[str, str]]
    services: str
    life_total: str
    shares: EvidenceShares
    months: Sequence[RecordMonth]
    activities_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Honour:
    """Something granted.

    Attributes:
        basis: Why: the reasons in one sentence.
        valid: Until when; empty for life.
    """

    title: str
    dimension: str
    granted_on: str
    basis: str
    valid: str
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition of a rule, as it stands for this person.

    Attributes:
        percent: How far, 0 to 100; None when it is yes or no.
        have: What is known, in words; empty when nothing is.
    """

    text: str
    state: Literal["met", "unmet", "unknown"]
    have: str
    percent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HonourRule:
    """One rule as a checklist.

    Attributes:
        nearest: The one sentence that says what is nearest, such as `再服务 87 小时即可`.
        url: The rule itself, with its source.
    """

    title: str
    dimension: str
    state: Literal["granted", "met", "unmet", "unknown"]
    nearest: str
    checks: Sequence[Check]
    citation: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HonoursPage:
    """What `volunteer/honours.html` shows.

    Attributes:
        next_rule: The unmet rule that is nearest; None when there is none.
        other_rules: All others, nearest first.
    """

    as_of: str
    held: Sequence[Honour]
    next_rule: HonourRule | None
    other_rules: Sequence[HonourRule]
