"""Two people above a limit: who may be the second, and from where on there must be one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.second_person import (
    Entry,
    HeldEntry,
    HeldKind,
    HeldPerson,
    decide_approval,
    needs_second_person,
)
from timebank.domain.threshold import (
    DEFAULTS,
    Threshold,
    ThresholdSetting,
    decide_setting,
    in_force,
    values_on,
)

NINE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)
LIMITS = {Threshold.SECOND_PERSON_MINUTES: 600, Threshold.SECOND_PERSON_PEOPLE: 5}


def people(count: int, minutes: int = 60) -> tuple[HeldPerson, ...]:
    return tuple(
        HeldPerson(VolunteerId(330424, number), NINE, NINE + timedelta(hours=1), minutes)
        for number in range(1, count + 1)
    )


ENTRY = Entry(
    kind=HeldKind.CLOSING,
    book=330424,
    subject="shift/1",
    organization=OrganizationId(330424, 1),
    shift=1,
    people=people(3),
)
HELD = HeldEntry(
    kind=ENTRY.kind,
    book=ENTRY.book,
    subject=ENTRY.subject,
    organization=ENTRY.organization,
    shift=ENTRY.shift,
    people=ENTRY.people,
    number=7,
    submitted_by=FIRST,
    submitted_at=NINE,
)


@pytest.mark.parametrize(
    ("minutes", "people", "is_needed"),
    [(600, 5, False), (601, 5, True), (600, 6, True), (1, 1, False)],
)
def test_the_limit_itself_takes_one_person(minutes: int, people: int, is_needed: bool) -> None:
    assert needs_second_person(minutes=minutes, people=people, thresholds=LIMITS) is is_needed


ROWS = [
    # decided  by      own    entry                              | outcome
    (True, FIRST, True, replace(ENTRY, people=people(4)), "approval.already_decided"),
    (False, FIRST, True, replace(ENTRY, people=people(4)), "approval.own_entry"),
    (False, SECOND, True, replace(ENTRY, people=people(4)), "approval.own_hours"),
    (False, SECOND, False, replace(ENTRY, people=people(4)), "approval.grew"),
    (False, SECOND, False, replace(ENTRY, people=people(3, 61)), "approval.grew"),
    (False, SECOND, False, ENTRY, None),
    (False, SECOND, False, replace(ENTRY, people=people(2)), None),
    (False, SECOND, False, None, None),
]


@pytest.mark.parametrize(("is_decided", "by", "is_own", "entry", "outcome"), ROWS)
def test_the_second_person_is_another_one(
    is_decided: bool, by: UUID, is_own: bool, entry: Entry | None, outcome: str | None
) -> None:
    held = replace(HELD, decided_at=NINE, is_approved=True) if is_decided else HELD
    actor = Actor(by, frozenset({Role.ORGANIZER}))
    found = decide_approval(held, entry, actor=actor, holds_own_hours=is_own)
    assert (None if found is None else found.value) == outcome


def setting(day: int, value: int, source: str = "示例办法第 3 条") -> ThresholdSetting:
    return ThresholdSetting(Threshold.SECOND_PERSON_PEOPLE, date(2024, 3, day), value, source)


def test_every_threshold_has_a_default() -> None:
    assert list(DEFAULTS) == list(Threshold)


def test_a_number_holds_from_its_day_on_and_of_one_day_the_newest() -> None:
    settings = [setting(10, 30), setting(5, 20), setting(10, 40)]
    found = [
        values_on(settings, on=date(2024, 3, day))[Threshold.SECOND_PERSON_PEOPLE]
        for day in (4, 5, 9, 10, 31)
    ]
    assert found == [DEFAULTS[Threshold.SECOND_PERSON_PEOPLE], 20, 20, 40, 40]
    assert in_force(settings, on=date(2024, 3, 4))[Threshold.SECOND_PERSON_PEOPLE] is None


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (setting(1, 0, ""), "threshold_setting.value"),
        (setting(1, 1, ""), "threshold_setting.source"),
        (setting(1, 1), "threshold_setting.past"),
        (setting(2, 1), None),
    ],
)
def test_a_number_can_be_set_from_today_on(made: ThresholdSetting, outcome: str | None) -> None:
    found = decide_setting(made, today=date(2024, 3, 2))
    assert (None if found is None else found.value) == outcome
