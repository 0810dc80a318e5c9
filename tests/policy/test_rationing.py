"""A what-if gives each month what an office's run would give: to the person, whatever rations."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests.policy import samples
from tests.policy.samples import constant, leaf
from tests.policy.test_simulation import columns_at, today_of

from timebank.domain.region import Level as Division
from timebank.policy.allocation import (
    WINS,
    Claim,
    Decided,
    Past,
    Standing,
    allocate,
)
from timebank.policy.bilingual import Bilingual
from timebank.policy.columns import claims_of, evaluate_population
from timebank.policy.condition import All, Op
from timebank.policy.cube import Cube, first_day, last_day, month_number
from timebank.policy.fact import FactType, FactUse
from timebank.policy.grant import Every, Fixed, GrantKind, Limit, LimitOf, LimitPer, PerUnit
from timebank.policy.ground import Ground
from timebank.policy.parameter import Citation, Source
from timebank.policy.plugin_kit import FIRST_MONTH, MONTHS, made_up_cube
from timebank.policy.pool import Carry, Exhausted, Holds, Pool
from timebank.policy.rationing import Assumed
from timebank.policy.rule import Pack, Rule, Status
from timebank.policy.schedule import Schedule, ScheduleKind
from timebank.policy.selection import Criterion, Order, Selection, SelectMode, Ties
from timebank.policy.simulation import Run, differences, simulate
from timebank.policy.stacking import Group, StackMode
from timebank.policy.timeline import BEFORE, NEVER, is_in_cube, prepare, uses_of
from timebank.policy.validity import Validity
from timebank.policy.window import Window, WindowKind

CITE = Citation("d3", "art. 1", Source.TEXT)
WORDS = Bilingual("样", "sample")
BASE = samples.read()
YEAR = Every.CALENDAR_YEAR
MINUTES = FactUse("minutes", Window(WindowKind.CALENDAR_YEAR))
FROM = date(2021, 1, 1)


def rule(name: str, *, need: int = 900, count: int = 10, **more: object) -> Rule:
    (film,) = BASE.rules
    pool = str(more.pop("pool", ""))
    amount = more.pop("amount", Fixed(count))
    grant = replace(film.grant, kind=GrantKind.MONEY, item=name, pool=pool, amount=amount)
    when = All(
        f"{name}/when",
        (
            leaf("minutes", Op.AT_LEAST, need, window=WindowKind.CALENDAR_YEAR),
            leaf("registered_days", Op.AT_LEAST, 200, window=None),
        ),
    )
    plain = {"every": YEAR, "when": when, "valid": Validity(FROM, None), "grant": grant}
    return replace(film, id=name, title=WORDS, **(plain | more))


def pool(name: str, exhausted: Exhausted = Exhausted.REFUSE, **more: object) -> Pool:
    plain = Pool(
        id=name, title=WORDS, owner=WORDS, cite=CITE, holds=Holds.FEN, amount=constant(100),
        every=YEAR, exhausted=exhausted,
        rank=(Criterion(MINUTES, Order.MOST),) if exhausted is Exhausted.RANK else (),
    )  # fmt: skip
    return replace(plain, **more)


def group(name: str, mode: StackMode, **more: object) -> Group:
    return replace(Group(id=name, title=WORDS, cite=CITE, mode=mode, every=YEAR), **more)


def pack(rules: list[Rule], pools: list[Pool], groups: list[Group]) -> Pack:
    return replace(
        BASE, status=Status.ENACTED, rules=tuple(rules), pools=tuple(pools), groups=tuple(groups)
    )


def made_up(seed: int) -> Pack:
    """Rules of every way to ration, mixed by chance."""
    dice = random.Random(seed)
    periods = (YEAR, Every.CALENDAR_MONTH, Every.SCHOOL_YEAR, Every.LIFETIME)
    pools = [
        pool(
            f"p{each}", each, amount=constant(dice.choice((0, 35, 200, 900))),
            every=dice.choice(periods[:3]),
            carry=Carry.UP_TO if each is Exhausted.QUEUE else Carry.NONE,
            carry_most=constant(60) if each is Exhausted.QUEUE else None,
            regions=(330424100000, 330424101000) if dice.random() < 0.3 else (),
        )
        for each in Exhausted
    ]  # fmt: skip
    groups = [
        group("best", StackMode.HIGHEST), group("rise", StackMode.TOP_UP, every=Every.LIFETIME),
        group("menu", StackMode.CHOOSE_ONE, default=dice.choice(("", "r3"))),
        group("cap", StackMode.CAP, cap=constant(25)),
        group("one", StackMode.SUM, excludes=frozenset({"two"})),
        group("two", StackMode.SUM, excludes=frozenset({"one"})),
    ]  # fmt: skip
    by = (Criterion(MINUTES, Order.MOST), Criterion(FactUse("registered_days"), Order.LEAST))
    selections = [
        Selection(
            mode=SelectMode.TOP_N, by=by[:1], winners=constant(dice.choice((1, 4, 30))),
            per=dice.choice((None, Division.TOWN)), ties=dice.choice(tuple(Ties)),
        ),
        Selection(mode=SelectMode.LOTTERY, winners=constant(5), seed="published"),
        Selection(
            mode=SelectMode.PANEL, by=by, winners=constant(3), shortlist=constant(6), ties=Ties.ALL
        ),
    ]  # fmt: skip
    limits = [
        Limit(LimitPer.PERSON, LimitOf.UNITS, YEAR, constant(33)),
        Limit(LimitPer.PERSON, LimitOf.TIMES, Every.SCHOOL_YEAR, constant(2)),
        Limit(LimitPer.ALL, LimitOf.UNITS, YEAR, constant(155)),
        Limit(LimitPer.ALL, LimitOf.TIMES, Every.CALENDAR_MONTH, constant(6)),
    ]
    rules = []
    for place in range(14):
        named = dice.choice(("", *(each.id for each in groups)))
        is_chosen = dice.random() < 0.4 and named != "rise"
        more: dict[str, object] = {
            "group": named,
            "pool": dice.choice(("", *(each.id for each in pools))),
            "every": dice.choice(periods),
            "priority": dice.randrange(3),
            "select": dice.choice(selections) if is_chosen else Selection(),
            "limits": tuple(dice.sample(limits, dice.choice((0, 0, 1, 2)))),
            "need": dice.choice((300, 900, 2000)),
            "count": dice.choice((5, 10, 20)),
        }
        if dice.random() < 0.3:
            more["amount"] = PerUnit(MINUTES, constant((3, 200)))
        if dice.random() < 0.3:
            more["schedule"] = Schedule(ScheduleKind.YEARLY, month=3, day=5)
        rules.append(rule(f"r{place}", **more))
    return pack(rules, pools, groups)


class Office:
    """Runs a pack at the end of every month, as `allocation.allocate` decides it."""

    def __init__(self, of: Pack, cube: Cube, today: dict[object, object]) -> None:
        self.pack, self.cube, self.today = of, cube, today
        self.past: list[Past] = []
        self.queues: dict[str, list[tuple[Claim, date]]] = defaultdict(list)
        self.left: dict[str, int] = {}
        self.periods: dict[str, str] = {}
        self.held_back: dict[tuple[str, Standing], int] = defaultdict(int)

    def month(self, day: date) -> list[tuple[str, int, int]]:
        """Return who is given what: rule, person, count."""
        of = self.pack
        for each in of.pools:
            period = each.every.period_key(on=day)
            if self.periods.get(each.id) != period:
                self.periods[each.id] = period
                self.left[each.id] = each.opening(on=day, left=self.left.get(each.id, 0))
        given = self._serve_queues()
        facts = columns_at(self.cube, of, self.today, on=day)
        results = evaluate_population([of], facts, people=self.cube.people, on=day)
        homes = (self.cube.homes, self.cube.homes > 0)
        claims = [
            claim for claim, _ in claims_of(results, people=self.cube.volunteers, homes=homes)
        ]
        found = allocate(
            claims, packs=[of], on=day, seed=b"what-if", past=self.past,
            available={
                f"{of.id}/{key}": 0 if self.queues[key] else left for key, left in self.left.items()
            },
            decided=self._decided(claims, day),
        )  # fmt: skip
        for award in found.awards:
            offer = award.offer
            waits = award.standing is Standing.QUEUED
            if award.standing in WINS or waits:
                count = offer.count
                self.past.append(
                    Past(
                        person=award.claim.person, pack_id=of.id, rule_id=offer.rule_id,
                        level=offer.level, period_key=offer.period_key, on=day, count=count,
                        home=award.claim.home,
                    )
                )  # fmt: skip
            if waits:
                pool_id = of.rule(offer.rule_id).grant.pool
                self.queues[pool_id].append((replace(award.claim, offer=offer), day))
            elif award.standing in WINS:
                given.append((offer.rule_id, award.claim.person, offer.count))
            if award.standing not in (*WINS, Standing.ALREADY):
                self.held_back[offer.rule_id, award.standing] += 1
        for key, taken in found.taken.items():
            self.left[key.removeprefix(f"{of.id}/")] -= taken
        return given

    def _serve_queues(self) -> list[tuple[str, int, int]]:
        given = []
        for key, queue in self.queues.items():
            while queue and queue[0][0].offer.count <= self.left[key]:
                claim, _since = queue.pop(0)
                self.left[key] -= claim.offer.count
                given.append((claim.offer.rule_id, claim.person, claim.offer.count))
        return given

    def _decided(self, claims: list[Claim], day: date) -> Decided:
        """Everybody takes the default, else the first of the menu; our seed; all are voted for."""
        of = self.pack
        before = {(each.person, each.rule_id, each.period_key) for each in self.past}
        choices: dict[tuple[int, str, str], str] = {}
        order = {each.id: (each.priority, place) for place, each in enumerate(of.rules)}
        for claim in sorted(claims, key=lambda each: order[each.offer.rule_id]):
            found = of.rule(claim.offer.rule_id)
            key = (claim.person, f"{of.id}/{found.group}", YEAR.period_key(on=day))
            is_new = (claim.person, found.id, claim.offer.period_key) not in before
            if found.group == "menu" and is_new:
                is_default = found.id == of.group("menu").default
                if is_default or key not in choices:
                    choices[key] = found.id
        names = [(f"{of.id}/{each.id}", each.every.period_key(on=day)) for each in of.rules]
        return Decided(
            choices=choices,
            draws=dict.fromkeys(names, "what-if"),
            panels=dict.fromkeys(names, frozenset(self.cube.volunteers.tolist())),
        )


def ground_of(of: Pack, *, seed: int) -> Ground:
    cube = made_up_cube(seed=seed)
    on = last_day(FIRST_MONTH + MONTHS - 1)
    return Ground(1, on, cube, today_of(cube, of, on=on))


@pytest.mark.parametrize("seed", range(6))
def test_a_rationed_month_is_what_an_office_would_have_given(seed: int) -> None:
    of = made_up(seed)
    ground = ground_of(of, seed=seed)
    lead = (0, 9)[seed % 2]
    timeline = prepare(
        [of], ground.cube, since=first_day(FIRST_MONTH + lead), months=MONTHS - lead,
        today=ground.today, on=ground.on,
    )  # fmt: skip
    run = simulate([of], timeline)
    office = Office(of, ground.cube, ground.today)
    told = 0
    for row, day in enumerate(timeline.days):
        if row == lead:
            office.held_back.clear()
        given = office.month(day)
        if row < lead:
            continue
        for step in run.steps:
            name = step.rule.id
            people = [person for rule_id, person, _ in given if rule_id == name]
            units = sum(count for rule_id, _, count in given if rule_id == name)
            where = f"{name} on {day}"
            assert (int(step.people[row - lead]), int(step.units[row - lead])) == (
                len(people), units,
            ), where  # fmt: skip
            fresh = set(timeline.volunteers[step.first == row - lead].tolist())
            assert fresh <= set(people), where
            told += len(people)
        for key, left in office.left.items():
            found = run.find_pool(of.id, key)
            if found is not None:
                spent = found.opened[row - lead] - left
                assert spent >= found.taken[row - lead] >= 0
    assert told > 100
    held = {
        (step.rule.id, standing): int(counts.sum())
        for step in run.steps
        for standing, counts in step.held_back.items()
    }
    assert held == dict(office.held_back)
    for key, left in office.left.items():
        pool_run = run.find_pool(of.id, key)
        if pool_run is not None:
            *_, last = pool_run.drains
            assert (last.taken, last.opened - last.taken) == (last.opened - left, left)
            assert last.taken <= last.opened
            assert (last.asked > last.taken) <= (last.empty is not None)


def test_shipped_packs_with_registers_give_what_offices_would() -> None:
    """Tables, top-ups and pools as they ship, with certificates that somebody holds."""
    gave = set()
    for of in samples.shipped("cn.nx.dawukou.allowances", "cn.bj.timebank"):
        enacted = replace(of, status=Status.ENACTED)
        cube = made_up_cube(seed=3)
        on = last_day(FIRST_MONTH + MONTHS - 1)
        dice = np.random.default_rng(3)
        today = {}
        for use in uses_of([enacted]):
            if not is_in_cube(use):
                top = max(len(use.spec.choices), 2)
                kind = np.bool_ if use.spec.type is FactType.YES_NO else np.int64
                values = dice.integers(0, top, cube.people).astype(kind)
                today[use.key(on=on)] = (values, dice.random(cube.people) < 0.8)
        since = max(month_number(max(each.valid.from_on for each in of.rules)), FIRST_MONTH)
        since = max(since, *(month_number(each.amount.values[0].from_on) for each in of.pools), 0)
        timeline = prepare(
            [enacted], cube, since=first_day(since), months=FIRST_MONTH + MONTHS - since,
            today=today, on=on,
        )  # fmt: skip
        run = simulate([enacted], timeline)
        office = Office(enacted, cube, today)
        for row, day in enumerate(timeline.days):
            given = office.month(day) if row >= timeline.lead else []
            for each in enacted.rules:
                steps = [step for step in run.steps if step.rule is each]
                mine = [count for name, _, count in given if name == each.id]
                if row >= timeline.lead:
                    units = sum(int(step.units[row - timeline.lead]) for step in steps)
                    assert units == sum(mine), f"{each.id} on {day}"
                    gave |= {of.id} if units else set()
    assert len(gave) == 2


def test_a_smaller_pool_has_losers_and_a_menu_counts_everybody_once() -> None:
    gift, book = rule("gift", count=10, group="menu"), rule("book", count=10, group="menu")
    aid = rule("aid", pool="fund", need=300, every=Every.CALENDAR_YEAR)
    of = pack([gift, book, aid], [pool("fund")], [group("menu", StackMode.CHOOSE_ONE)])
    rich = replace(of, hash="rich", pools=(pool("fund", amount=constant(10_000)),))
    ground = ground_of(of, seed=2)
    timeline = prepare(
        [of], ground.cube, since=first_day(FIRST_MONTH + 12), months=12,
        today=ground.today, on=ground.on,
    )  # fmt: skip
    base = simulate([rich], timeline)
    variant = ground.again([of], base)
    assert base.assumed == {Assumed.CHOICE}
    by_rule = {each.rule.id: each for each in variant.steps}
    # Nobody is given two of the menu; what is not touched is taken from the run before.
    taken = [by_rule[name].first != NEVER for name in ("gift", "book")]
    assert taken[0].any()
    assert not (taken[0] & taken[1]).any()
    assert by_rule["book"].held_back[Standing.STACKED].sum() > 0

    change = {each.name[1]: each for each in differences(base, variant)}["aid"]
    before, after = base.find_pool("sample", "fund"), variant.find_pool("sample", "fund")
    assert before is not None
    assert after is not None
    assert not change.gains.any()
    assert change.loses.sum() == (before.taken.sum() - after.taken.sum()) // 10
    (drain,) = after.drains
    assert (drain.opened, drain.taken) == (100, 100)
    assert drain.asked == int(before.taken.sum())
    assert drain.left_out == change.loses.sum()
    assert [each.empty for each in before.drains] == [None]
    towns = after.towns(variant.timeline)
    assert sum(people for _month, people in towns.values()) == drain.left_out
    assert min(month for month, _people in towns.values()) == drain.empty
    assert set(towns) <= set((ground.cube.homes // 1000 * 1000).tolist())


def test_a_pack_enacted_at_the_start_keeps_what_was_given_before() -> None:
    """Half a year in, a new version gives nobody the year's grant again, and shares its pool."""
    aid = rule("aid", pool="fund", need=2500)
    of = pack([aid], [pool("fund", amount=constant(450))], [])
    lower = replace(of, hash="lower", rules=(rule("aid", pool="fund", need=60),))
    ground = ground_of(of, seed=2)
    timeline = prepare(
        [of], ground.cube, since=first_day(FIRST_MONTH + 18), months=6,
        today=ground.today, on=ground.on,
    )  # fmt: skip
    base = simulate([of], timeline)
    variant = simulate([lower], timeline, reuse=base, is_enacted_at_start=True)
    before, after = base.find_pool("sample", "fund"), variant.find_pool("sample", "fund")
    assert before is not None
    assert after is not None
    assert before.drains[0].taken > before.taken.sum() > 0
    assert after.drains[0].taken == 450
    given = variant.steps[0]
    held = base.steps[0].first == BEFORE
    assert held.sum() * 10 + given.units.sum() == 450
    assert not (given.first[held] >= 0).any()


def test_shuffled_people_change_nothing() -> None:
    of = made_up(1)
    ground = ground_of(of, seed=1)
    order = np.random.default_rng(1).permutation(ground.cube.people)
    turned = {key: (each[0][order], each[1][order]) for key, each in ground.today.items()}
    one = ground.past([of], months=MONTHS)
    other = Ground(1, ground.on, ground.cube.only(order), turned).past([of], months=MONTHS)

    def told(run: Run) -> list[tuple[list[int], list[int]]]:
        return [(each.people.tolist(), each.units.tolist()) for each in run.steps]

    assert told(one) == told(other)
    for left, right in zip(one.steps, other.steps, strict=True):
        assert left.first[order].tolist() == right.first.tolist()
