"""Facts are counted to the day, in one field or all, and as of any entry the same for ever."""

from datetime import date, timedelta

import asyncpg
from tests.factories import BOOK, NINE, TOWN, World
from tests.services.test_granting import serve

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance
from timebank.domain.register_row import Register
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.domain.volunteer_number import format_number
from timebank.policy.columns import value_at
from timebank.policy.fact import FactKey, FactUse, Value
from timebank.policy.window import parse_window
from timebank.queries import facts
from timebank.services import registering
from timebank.services.correction import Reversed, reverse_transfer
from timebank.store import attestations, profiles
from timebank.store.profiles import Profile

COUNTY = Scope(BOOK * 1_000_000)
DAYS = (date(2024, 3, 3), date(2024, 3, 31), date(2024, 12, 31))
FIELD = ServiceField.ELDER_CARE

USES = [
    FactUse("minutes", parse_window("lifetime")),
    FactUse("services", parse_window("calendar_year"), Assurance.A1),
    FactUse("minutes", parse_window("school_year")),
    FactUse("minutes", parse_window("months(1)")),
    FactUse("minutes", parse_window("lifetime"), category=FIELD),
    FactUse("minutes", parse_window("between(2024-03-02,2024-03-02)"), category=ServiceField.OTHER),
    FactUse("services", parse_window("lifetime"), category=FIELD),
    FactUse("no_shows", parse_window("calendar_year")),
    FactUse("no_shows", parse_window("months(3)")),
    FactUse("first_service_on"),
    FactUse("first_service_on", assurance_min=Assurance.A3),
    FactUse("age"),
    FactUse("rate_10k", parse_window("calendar_year")),
    FactUse("rate_10k", parse_window("lifetime"), Assurance.A3),
    FactUse("party_member"),
    FactUse("credits"),
    FactUse("registered_days"),
    FactUse("has_grant", parse_window("lifetime"), rule="cn.stars/stars"),
    FactUse("certificate_level"),
    FactUse("employed_in", region=640205000000),
    FactUse("bad_credit", parse_window("months(3)")),
]


async def told(
    db: Database, people: list[VolunteerId], *, as_of: int | None = None
) -> dict[tuple[int, FactKey], Value | None]:
    """What everybody is told and each alone, once both were found to be the same."""
    found: dict[tuple[int, FactKey], Value | None] = {}
    keys = sorted({use.key(on=on) for use in USES for on in DAYS}, key=str)
    async with db.read() as conn:
        everybody = await facts.population_facts(
            conn, scope=COUNTY, book=BOOK, keys=keys, as_of=as_of
        )
        assert everybody is not None
        for row, each in enumerate(people):
            alone = await facts.person_facts(conn, volunteer=each, keys=keys, as_of=as_of)
            assert alone == {key: value_at(everybody.columns[key], row, key=key) for key in keys}, (
                each
            )
            found |= {(each.id, key): value for key, value in alone.items()}
    return found


async def test_facts_are_the_same_for_one_and_for_all_and_as_of_any_entry(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(3)
    one, two, idle = people
    await serve(db, world, one, hours=30)
    await serve(db, world, two, hours=5)
    async with db.write() as conn:
        await profiles.set_profiles(
            conn, book=BOOK, now=NINE,
            profiles=[
                Profile(volunteer=one.id, from_on=date(2024, 1, 1), birth_year=1960, is_party_member=True, is_social_worker=False),
                Profile(volunteer=two.id, from_on=date(2024, 3, 4), birth_year=None, is_party_member=False, is_social_worker=False),
            ],
        )  # fmt: skip
    shift = await world.shift(starts_at=NINE - timedelta(days=9), hours=1, signed_up=[two])
    await owner.execute(
        "update signup set missed_at = $1 where shift_id = $2", NINE - timedelta(days=9), shift.id
    )
    header = ["volunteer", "fact", "detail", "value", "since", "source"]
    rows = [
        [
            format_number(BOOK, one.id),
            "certificate_level",
            "",
            "社会工作师",
            "2024-03-10",
            "考试中心",
        ],
        [format_number(BOOK, one.id), "employed_in", "640205", "是", "2024-01-01", "社保"],
        [format_number(BOOK, two.id), "bad_credit", "", "否", "2020-01-01", "信用中心"],
    ]
    strange = [*rows, [format_number(BOOK, one.id), "religion", "", "是", "2024-01-01", "x"]]
    for lines, written in ((strange, 0), (rows, 3)):
        taken = await registering.take_register(
            db, book=BOOK, register=Register.ATTESTATIONS, header=header,
            lines=list(enumerate(lines, start=2)), file="said.csv", now=NINE,
        )  # fmt: skip
        assert taken.rows_written == written
        assert [(each.column, each.text) for each in taken.refused] == (
            [] if written else [("fact", "religion")]
        )
    await owner.executemany(
        "insert into residents (region, as_of, source, count, is_estimate) values ($1, $2, 's', $3, false)",
        [(TOWN, date(2024, 1, 1), 1_500), (TOWN, date(2024, 6, 1), 3_000)],
    )
    before = await told(db, people)
    seq = await owner.fetchval("select seq from book where id = $1", BOOK)

    # Written later, about the same days: more service, and one of the old records taken back.
    await serve(db, world, two, hours=24)
    taken_back = await reverse_transfer(
        db,
        actor=None,
        book=BOOK,
        seq=1,
        reason="It was another day.",
        now=NINE + timedelta(days=40),
    )
    assert isinstance(taken_back, Reversed)
    late = await told(db, people)
    assert late != before
    assert await told(db, people, as_of=seq) == before
    half = seq - 2
    assert await told(db, people, as_of=half) not in (before, late)

    def of(volunteer: VolunteerId, use: FactUse, on: date) -> Value | None:
        return before[volunteer.id, use.key(on=on)]

    year_end = DAYS[2]
    assert of(one, USES[0], year_end) == 30 * 60
    assert of(one, FactUse("first_service_on"), DAYS[0]) == NINE.date()
    assert late[one.id, USES[0].key(on=year_end)] == 18 * 60
    assert late[one.id, FactUse("first_service_on").key(on=year_end)] == NINE.date() + timedelta(1)
    assert of(one, FactUse("first_service_on"), year_end) == NINE.date()
    assert of(idle, FactUse("first_service_on"), year_end) is None
    assert [of(one, FactUse("age"), on) for on in DAYS] == [63, 63, 64]
    # Two people of the town served: of 1,500 residents, later of 3,000; whoever asks lives there.
    rate = FactUse("rate_10k", parse_window("calendar_year"))
    assert [of(idle, rate, on) for on in DAYS] == [13, 13, 6]
    assert of(one, FactUse("rate_10k", parse_window("lifetime"), Assurance.A3), year_end) == 0
    assert of(two, FactUse("age"), year_end) is None
    assert [of(two, FactUse("party_member"), on) for on in DAYS] == [None, False, False]
    assert (of(two, USES[7], year_end), of(two, USES[8], year_end)) == (1, 0)
    assert [of(one, FactUse("certificate_level"), on) for on in DAYS] == [None, 2, 2]
    assert of(one, USES[-2], year_end) is True
    assert (of(one, USES[-1], year_end), of(two, USES[-1], year_end)) == (None, False)
    assert of(idle, FactUse("certificate_level"), year_end) is None
    async with db.write() as conn:
        await attestations.delete_attestations(conn, volunteer=one)
    erased = await told(db, people)
    assert erased[one.id, FactUse("certificate_level").key(on=year_end)] is None
