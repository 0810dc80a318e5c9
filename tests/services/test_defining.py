"""A district decides what a rate means; nothing that was told by an earlier meaning changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.factories import BOOK, World
from tests.services.test_publication import URL, serve

from timebank.db import Database
from timebank.domain.definition import (
    Definition,
    DefinitionRefusal,
    DefinitionRefused,
    Denominator,
    decide_definition,
    definition_on,
    own_name,
    read_definition,
)
from timebank.domain.publication import Published
from timebank.domain.scope import Scope
from timebank.domain.window import Window, WindowKind
from timebank.queries.active_rate import active_rates
from timebank.services.defining import decide_definitions
from timebank.services.founding import found_county
from timebank.services.publication import count_again, publish_report
from timebank.services.sealing import LogKey
from timebank.store.definitions import list_definitions, list_definitions_of
from timebank.trust.signer import Ed25519Signer

REGION = BOOK * 1_000_000
COUNTY, TOWN, OTHER = Scope(REGION), Scope(330424102000), Scope(330481000000)
TODAY = date(2025, 1, 15)
NOW = datetime(2025, 1, 15, 2, tzinfo=UTC)
NAME = own_name(REGION, "two-hours")
TWO_HOURS = Definition(
    id=NAME,
    valid_from=date(2024, 1, 1),
    name={"zh": "活跃率（两小时）", "en": "Active rate (two hours)"},
    window=WindowKind.YEAR,
    minutes_above=119,
    denominator=Denominator.REGISTERED,
    per=100,
    source="海盐县社会工作部〔2024〕3 号",
)

REFUSED = [
    ({"id": "two-hours"}, DefinitionRefusal.NAME_MALFORMED),
    ({"id": own_name(REGION, "Two")}, DefinitionRefusal.NAME_MALFORMED),
    ({"id": own_name(REGION, "a" * 41)}, DefinitionRefusal.NAME_MALFORMED),
    ({"name": {"zh": "甲", "en": " "}}, DefinitionRefusal.NAME_MISSING),
    ({"source": "甲乙"}, DefinitionRefusal.NO_SOURCE),
    ({"valid_from": date(2031, 1, 1)}, DefinitionRefusal.TOO_LATE),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_what_is_no_decision_is_refused(change: dict[str, object], reason: str) -> None:
    asked = replace(TWO_HOURS, **change)  # type: ignore[arg-type]
    decided = decide_definition(asked, region=REGION, known=(), today=TODAY)
    assert decided == DefinitionRefused(DefinitionRefusal(reason))


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2024, 1, 1), DefinitionRefusal.NOT_LATER),
        (date(2023, 1, 1), DefinitionRefusal.NOT_LATER),
        (date(2025, 1, 14), DefinitionRefusal.TOO_EARLY),
        (date(2025, 1, 15), None),
    ],
)
def test_another_value_holds_from_a_later_day_and_never_for_days_that_are_over(
    day: date, reason: DefinitionRefusal | None
) -> None:
    asked = replace(TWO_HOURS, valid_from=day, minutes_above=59)
    decided = decide_definition(asked, region=REGION, known=[TWO_HOURS], today=TODAY)
    assert decided == (asked if reason is None else DefinitionRefused(reason))


def test_a_definition_is_read_back_from_all_that_it_says() -> None:
    for each in (*list_definitions(), TWO_HOURS):
        assert read_definition(each.said()) == each


async def test_a_decided_definition_counts_publishes_and_stays(db: Database, world: World) -> None:
    await found_county(db, book=BOOK, now=datetime(2024, 1, 1, tzinfo=UTC))
    await world.volunteers(4)
    served = datetime(2024, 6, 2, tzinfo=UTC)
    await serve(db, now=served, first=0, people=range(1, 4), minutes=60)
    await serve(db, now=served, first=100, people=range(1, 3), minutes=90)

    async def decide(*asked: Definition) -> object:
        return await decide_definitions(
            db, scope=COUNTY, asked=asked, today=TODAY, person=None, now=NOW
        )

    async def known(scope: Scope) -> tuple[Definition, ...]:
        async with db.read() as conn:
            return await list_definitions_of(conn, region=scope.region)

    # All or, where one is refused, none.
    wrong = replace(TWO_HOURS, id=own_name(REGION, "other"), source="甲")
    assert await decide(TWO_HOURS, wrong) == DefinitionRefused(DefinitionRefusal.NO_SOURCE)
    assert TWO_HOURS not in await known(COUNTY)
    assert await decide(TWO_HOURS) == (TWO_HOURS,)
    assert await decide(TWO_HOURS) == DefinitionRefused(DefinitionRefusal.NOT_LATER)
    assert TWO_HOURS in await known(TOWN)
    assert TWO_HOURS not in await known(OTHER)

    async with db.read() as conn:
        report = await active_rates(conn, scope=COUNTY, year=2024, definition=TWO_HOURS)
    assert report is not None
    top = report.rows[0]
    assert (top.active, top.whole, top.rate) == (2, 4, 5_000)

    made = await publish_report(
        db,
        scope=COUNTY,
        window=Window.of_year(2024),
        definition=TWO_HOURS,
        key=LogKey(Ed25519Signer(b"k" * 32), "time.example.org"),
        url=URL,
        person=None,
        now=NOW,
    )
    assert isinstance(made, Published)
    # A later meaning of the same name: the publication keeps the one that it was made by.
    later = replace(TWO_HOURS, valid_from=TODAY + timedelta(days=1), minutes_above=59)
    assert await decide(later) == (later,)
    assert definition_on(await known(COUNTY), NAME, on=TODAY) == TWO_HOURS
    assert definition_on(await known(COUNTY), NAME, on=later.valid_from) == later
    assert (await count_again(db, reference=made.publication.reference)).is_same
