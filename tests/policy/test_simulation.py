"""A scenario counts exactly what evaluating everybody at each month's end would grant."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from tests.policy.samples import HEAD, constant, files, seconds_of

from timebank.domain.assurance import Assurance
from timebank.policy.columns import Columns, evaluate_population, to_column
from timebank.policy.cube import Cube, Measure, first_day, last_day
from timebank.policy.evaluation import evaluate_person, facts_needed
from timebank.policy.fact import FactKey
from timebank.policy.forecast import Method, extend, without_last_year
from timebank.policy.grant import Every, Limit, LimitOf, LimitPer
from timebank.policy.ground import Ground
from timebank.policy.pack import read_pack_files
from timebank.policy.plugin_kit import FIRST_MONTH, MONTHS, made_up_cube
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack
from timebank.policy.simulation import by_division, differences, drains, simulate
from timebank.policy.timeline import BEFORE, facts_of, is_in_cube, prepare, uses_of
from timebank.policy.variant import with_value

PARAMS = """\
[[param.star_minutes]]
from = 2022-01-01
value = [1200, 3600, 7200]
cite = "d3 art. 1"
[[param.film_minutes]]
from = 2022-01-01
value = 1800
cite = "d3 art. 4"
[[param.film_minutes]]
from = 2023-03-01
value = 900
cite = "d3 art. 5"
"""

RULES = """\
[[rule]]
id = "stars"
title = { zh = "星级", en = "Stars" }
dimension = "esteem"
cite = "d3 art. 1"
valid = { from = 2022-01-01 }
provides = "star"
grant = { kind = "honour", item = "star" }
[rule.tiers]
fact = "minutes"
window = "lifetime"
param = "star_minutes"
downgrade = "never"
level = [
  { title = { zh = "一", en = "one" }, approve = "county" },
  { title = { zh = "二", en = "two" }, approve = "county" },
  { title = { zh = "三", en = "three" }, approve = "county" },
]

[[rule]]
id = "film"
title = { zh = "观影", en = "Film" }
dimension = "economic"
cite = "d3 art. 7"
valid = { from = 2022-06-15, through = 2024-04-15 }
grant = { kind = "pass", item = "film", count = 12 }
limits = [{ per = "person", period = "calendar_year", max = 1 }]
approve = { by = "county" }
when.all = [
  { fact = "minutes", window = "calendar_year", min_assurance = "A1", op = ">=", param = "film_minutes" },
  { any = [
    { fact = "star", op = ">=", value = 1 },
    { at_least = 2, of = [
      { fact = "services", window = "months(6)", op = ">", value = 3 },
      { fact = "registered_days", op = ">=", value = 400 },
      { not = { fact = "bad_credit", window = "months(36)", op = "==", value = true } },
    ] },
  ] },
  { fact = "region", op = "within", value = ["330424100", "330424101", "330424102", "330424103"] },
]
"""


@pytest.fixture(scope="module")
def pack() -> Pack:
    found = read_pack_files(files(pack=HEAD, params=PARAMS, rules=RULES))
    assert not isinstance(found, PackRefused), str(found)
    return found


def columns_at(cube: Cube, pack: Pack, today: Columns, *, on: date) -> Columns:
    """The facts of a day, summed month by month, as a query would."""
    found = {}
    for key in facts_needed([pack], on=on):
        if key.name in list(Measure):
            matrix = cube.sums[Measure(key.name), key.assurance_min]
            rows = [
                row
                for row in range(cube.months)
                if (key.since is None or first_day(cube.first_month + row) >= key.since)
                and first_day(cube.first_month + row) < key.until
            ]
            total = matrix[rows].sum(axis=0, dtype=np.int64)
            found[key] = (total, np.ones(cube.people, dtype=np.bool_))
        elif key.name == "registered_days":
            days = on.toordinal() - cube.enrolled
            found[key] = (days, days >= 0)
        else:
            found[key] = next(column for each, column in today.items() if each.name == key.name)
    return found


def today_of(cube: Cube, pack: Pack, *, on: date) -> dict[FactKey, object]:
    random = np.random.default_rng(5)
    found = {}
    for use in uses_of([pack]):
        if is_in_cube(use):
            continue
        key = use.key(on=on)
        if use.name == "region":
            found[key] = (cube.homes, np.ones(cube.people, dtype=np.bool_))
        else:
            column = to_column([False] * cube.people, kind=use.spec.type)
            found[key] = (random.random(cube.people) < 0.3, random.random(cube.people) < 0.6)
            assert column[0].dtype == found[key][0].dtype
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("since", [FIRST_MONTH, FIRST_MONTH + 9])
def test_a_scenario_is_what_evaluation_grants_month_by_month(
    pack: Pack, seed: int, since: int
) -> None:
    cube = made_up_cube(seed=seed)
    on = last_day(FIRST_MONTH + MONTHS - 1)
    today = today_of(cube, pack, on=on)
    months = MONTHS - (since - FIRST_MONTH)
    timeline = prepare([pack], cube, since=first_day(since), months=months, today=today, on=on)
    run = simulate([pack], timeline)

    given: dict[tuple[str, int, str], set[int]] = {}
    counted: dict[tuple[str, int], list[int]] = {
        (each.rule.id, each.step.number): [0] * months for each in run.steps
    }
    for month in range(FIRST_MONTH, FIRST_MONTH + MONTHS):
        day = last_day(month)
        facts = columns_at(cube, pack, today, on=day)
        for result in evaluate_population([pack], facts, people=cube.people, on=day):
            for step in result.steps:
                period = result.rule.every.period_key(on=day)
                name = (result.rule.id, step.step.number)
                before = given.setdefault((*name, period), set())
                fresh = set(map(int, step.rows_met())) - before
                before |= fresh
                if month >= since:
                    counted[name][month - since] += len(fresh)
    found = {(each.rule.id, each.step.number): each.people.tolist() for each in run.steps}
    # A lead of a year is looked at, so what was given once for life before it is not known.
    lifetime = {"stars"} if since - FIRST_MONTH > 12 else set()
    assert {name: each for name, each in found.items() if name[0] not in lifetime} == counted
    assert sum(found["film", 0]) > 10
    assert sum(found["stars", 1]) > 10

    # One person's facts give the reasons of what was counted.
    film = run.find(("sample", "film", 0))
    assert film is not None
    for person in np.flatnonzero(film.first >= 0)[:5]:
        month = int(film.first[person])
        known = facts_of(timeline, int(person), month=month)
        results = evaluate_person([pack], known, on=timeline.months[month])
        assert {each.rule.id: bool(each.met) for each in results}["film"]


def test_a_variant_reuses_what_did_not_change_and_differs_where_it_did(pack: Pack) -> None:
    cube = made_up_cube(seed=4)
    on = last_day(FIRST_MONTH + MONTHS - 1)
    ground = Ground(1, on, cube, today_of(cube, pack, on=on))
    base = ground.past([pack], months=12)
    lower = with_value(pack, "film_minutes", value=300, from_on=date(2022, 1, 1))
    assert isinstance(lower, Pack)
    assert lower.hash != pack.hash
    variant = simulate([lower], base.timeline, reuse=base)
    fresh = simulate([lower], base.timeline)
    assert [each.people.tolist() for each in variant.steps] == [
        each.people.tolist() for each in fresh.steps
    ]
    assert variant.find(("sample", "stars", 1)) is base.find(("sample", "stars", 1))
    by_name = {each.name: each for each in differences(base, variant)}
    film = by_name["sample", "film", 0]
    assert film.base is not None
    assert film.gains.any()
    assert not film.loses.any()
    assert sum(by_division(film.gains, base.timeline, digits=9).values()) == film.gains.sum()
    assert not by_name["sample", "stars", 2].gains.any()

    # Enacted as the months begin, it is given at once to whoever met it before.
    enacted = ground.again([lower], base).find(film.name)
    late = variant.find(film.name)
    assert enacted is not None
    assert late is not None
    at_once = (late.first == BEFORE) & (film.base.first != BEFORE)
    assert at_once.any()
    assert (enacted.first[at_once] == 0).all()
    assert enacted.people.sum() == late.people.sum() + at_once.sum()
    assert enacted.units[0] == enacted.people[0] * 12

    # A changed star changes what asks for stars, though its own text is the same.
    stars = with_value(pack, "star_minutes", value=(60, 7200, 9000), from_on=date(2022, 1, 1))
    assert isinstance(stars, Pack)
    again = simulate([stars], base.timeline, reuse=base)
    plain = simulate([stars], base.timeline)
    assert [each.first.tolist() for each in again.steps] == [
        each.first.tolist() for each in plain.steps
    ]


def test_a_variant_that_makes_no_sense_is_refused(pack: Pack) -> None:
    refused = with_value(pack, "star_minutes", value=(60, 50, 70), from_on=date(2022, 1, 1))
    assert isinstance(refused, PackRefused)
    assert {each.code.value for each in refused.problems} == {"pack.not_ascending"}


def test_order_of_people_changes_nothing(pack: Pack) -> None:
    cube = made_up_cube(seed=6)
    on = last_day(FIRST_MONTH + MONTHS - 1)
    today = today_of(cube, pack, on=on)
    order = np.random.default_rng(1).permutation(cube.people)
    turned = {key: (column[0][order], column[1][order]) for key, column in today.items()}
    one = Ground(1, on, cube, today).past([pack], months=MONTHS)
    other = Ground(1, on, cube.only(order), turned).past([pack], months=MONTHS)
    assert [each.people.tolist() for each in one.steps] == [
        each.people.tolist() for each in other.steps
    ]


def test_an_amount_is_empty_in_the_month_in_which_more_is_taken() -> None:
    months = [last_day(FIRST_MONTH + each) for each in range(14)]
    taken = np.array([10] * 14)
    found = drains(taken, months, every=Every.CALENDAR_YEAR, opens=lambda _day, _left: 100)
    assert [(each.period, each.asked, each.empty) for each in found] == [
        ("2022", 120, date(2022, 11, 30)),
        ("2023", 20, None),
    ]


def test_forecasts_repeat_seasons_and_are_judged_on_the_last_year(pack: Pack) -> None:
    cube = made_up_cube(seed=7)
    key = (Measure.MINUTES, Assurance.A0)
    for method in Method:
        longer = extend(cube, months=15, method=method, seed=3)
        assert longer.months == cube.months + 15
        assert np.array_equal(longer.sums[key][: cube.months], cube.sums[key])
        again = extend(cube, months=15, method=method, seed=3)
        assert np.array_equal(longer.sums[key], again.sums[key])
    repeated = extend(cube, months=15, method=Method.LAST_YEAR).sums[key]
    assert np.array_equal(repeated[cube.months + 12], cube.sums[key][-12])
    other = extend(cube, months=15, method=Method.BOOTSTRAP, seed=4).sums[key]
    assert not np.array_equal(
        other, extend(cube, months=15, method=Method.BOOTSTRAP, seed=3).sums[key]
    )
    # Whoever never served is of the class of those, and is forecast nothing.
    idle = cube.sums[key][-12:].sum(axis=0) <= 0
    assert not other[cube.months :, idle].any()
    assert without_last_year(cube).months == cube.months - 12

    on = last_day(FIRST_MONTH + MONTHS - 1)
    ground = Ground(1, on, cube, today_of(cube, pack, on=on))
    tests = ground.back_tests([pack], method=Method.LAST_YEAR)
    film = tests["sample", "film", 0]
    came = ground.past([pack], months=12).find(("sample", "film", 0))
    assert came is not None
    assert list(film.came) == came.people.tolist()
    off, whole = film.error
    assert off == sum(film.said) - whole
    low, high = film.interval(100)
    assert low <= 95 <= 105 <= high
    assert ground.ahead([pack], months=12, method=Method.COHORT_TREND).timeline.months[
        0
    ] == last_day(FIRST_MONTH + MONTHS)


def test_growth_by_cohort_follows_the_cohort_and_no_newcomer() -> None:
    cube = made_up_cube(seed=8)
    doubled = cube.sums[Measure.MINUTES, Assurance.A0].copy()
    doubled[-12:] = np.abs(doubled[-24:-12]) * 2
    doubled[-24:-12] = np.abs(doubled[-24:-12])
    early = np.full(cube.people, (date(2021, 1, 1) + timedelta(days=5)).toordinal())
    early[:10] = date(2024, 1, 5).toordinal()
    grown = Cube(
        volunteers=cube.volunteers,
        first_month=cube.first_month,
        sums={**cube.sums, (Measure.MINUTES, Assurance.A0): doubled},
        homes=cube.homes,
        enrolled=early,
    )
    ahead = extend(grown, months=12, method=Method.COHORT_TREND).sums[Measure.MINUTES, Assurance.A0]
    assert ahead[-12:, 10:].sum() == pytest.approx(2 * doubled[-12:, 10:].sum(), rel=0.02)
    assert np.array_equal(ahead[-12:, :10], doubled[-12:, :10])


def test_a_scenario_costs_what_a_dragged_slider_may() -> None:
    """A quarter of 140,000 people over 60 months, a quarter of half a second: once and rationed."""
    months, people = 60, 35_000
    cube = made_up_cube(seed=1, people=people, months=months)
    on = last_day(FIRST_MONTH + months - 1)
    plain = read_pack_files(files(pack=HEAD, params=PARAMS, rules=RULES))
    assert isinstance(plain, Pack)
    today = today_of(cube, plain, on=on)
    timeline = prepare(
        [plain], cube, since=first_day(FIRST_MONTH), months=months, today=today, on=on
    )
    base = simulate([plain], timeline)
    dragged = with_value(plain, "film_minutes", value=600, from_on=date(2022, 1, 1))
    assert isinstance(dragged, Pack)
    assert seconds_of(lambda: simulate([dragged], timeline, reuse=base)) < 0.125

    (film,) = (each for each in plain.rules if each.id == "film")
    most = Limit(LimitPer.ALL, LimitOf.TIMES, Every.CALENDAR_YEAR, constant(5_000))
    rules = tuple(replace(each, limits=(most,)) if each is film else each for each in plain.rules)
    few = replace(plain, rules=rules, hash="few")
    spent = seconds_of(lambda: simulate([few], timeline, reuse=base, is_enacted_at_start=True))
    assert spent < 0.25
