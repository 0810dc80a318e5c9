"""What if: an office drags a number of a rule and sees who gains, who loses and what it costs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import numpy as np
from litestar import Response, get
from litestar.params import QueryParameter
from numpy.typing import NDArray

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import Kit, Kitted, Now, OfficeScope, SignedInActor, TimebankRequest
from timebank.policy.evaluation import RuleResult, evaluate_person
from timebank.policy.explain import explain
from timebank.policy.fact import FactUnit, FactUse
from timebank.policy.forecast import Method
from timebank.policy.grant import Every, GrantKind
from timebank.policy.ground import DRAWS, Ground
from timebank.policy.parameter import Parameter
from timebank.policy.pool import Holds
from timebank.policy.problem import PackRefused
from timebank.policy.rationing import Drain, PoolRun
from timebank.policy.rule import Pack, Rule
from timebank.policy.simulation import (
    Difference,
    Run,
    StepRun,
    by_division,
    differences,
    drains,
    places_of,
)
from timebank.policy.timeline import NEVER, facts_of
from timebank.policy.variant import with_value
from timebank.queries.whatif import NamedPerson, list_people, read_ground
from timebank.services.authoring import packs_in_force
from timebank.services.errors import NotFoundError
from timebank.store.regions import find_region, list_children
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.parts import Choice
from timebank.web.policy_words import (
    fact_name,
    fact_words,
    nearest_words,
    need_words,
    own_words,
    problem_words,
)

MONTHS = 12
"""Months of a what-if: a year of the ledger, or the year ahead."""

_LOOKED_BACK = timedelta(days=365)
"""Rules that were over before are in no what-if; a campaign of this year is."""

CHANGED_SHOWN = 40
"""People listed by name, masked: enough to see why, few enough to read."""

PRICE_MAX = 1_000_000
"""Dearest single thing, in yuan."""

_Number = Annotated[str, QueryParameter(max_length=120)]
_Values = Annotated[str, QueryParameter(max_length=120)]
_Span = Annotated[str, QueryParameter(max_length=10)]
_Method = Annotated[str, QueryParameter(max_length=20)]
_Yuan = Annotated[str, QueryParameter(max_length=12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One number that can be dragged.

    Attributes:
        low: Where the slider begins and `high` where it ends; the field takes any whole number.
        now: The enacted number, in the same unit.
        unit: What it counts, in words.
    """

    label: str
    value: str
    now: str
    low: str
    high: str
    unit: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number before and after."""

    label: str
    before: str
    after: str
    change: str
    direction: Literal["up", "down", "level"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """What becomes of one rule or level."""

    title: str
    before: str
    after: str
    gains: str
    loses: str
    sooner: str
    later: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBar:
    """A month, before and after; heights in percent of the highest bar."""

    label: str
    short: str
    before: str
    after: str
    before_height: int
    after_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TownLine:
    """A town, before and after; widths in percent of the longest bar."""

    name: str
    before: str
    after: str
    gains: str
    loses: str
    before_width: int
    after_width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPerson:
    """Somebody for whom something changes, masked."""

    name: str
    town: str
    kind: Literal["gains", "loses", "swaps"]
    title: str
    was: str
    becomes: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodLine:
    """One way to see ahead, with how far off it was."""

    name: str
    how: str
    people: str
    interval: str
    error: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """How far a year's amount reaches, before and after."""

    period: str
    opened: str
    before: str
    after: str
    empty_before: str
    empty_after: str
    is_short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """Who meets a rule and is given nothing, by why: places, menus, limits and pools decide it."""

    title: str
    why: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPeriod:
    """How far a pool reaches in one of its periods, before and after.

    Attributes:
        left_out: How many people it does not reach for.
    """

    period: str
    opened: str
    before: str
    after: str
    empty_before: str
    empty_after: str
    left_out_before: str
    left_out_after: str
    is_short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTown:
    """From when a pool did not reach for people of a town, and for how many."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPart:
    """One pool that the rules take from.

    Attributes:
        unit: What it is counted in, in words.
        months: What is taken of it in each month, before and after.
    """

    title: str
    owner: str
    unit: str
    periods: Sequence[PoolPeriod]
    months: Sequence[MonthBar]
    towns: Sequence[PoolTown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the change comes to.

    Attributes:
        supposed: What people decide themselves, and was assumed.
    """

    figures: Sequence[Figure]
    steps: Sequence[StepLine]
    months: Sequence[MonthBar]
    towns: Sequence[TownLine]
    changed: Sequence[ChangedPerson]
    changed_all: str
    methods: Sequence[MethodLine]
    budgets: Sequence[BudgetLine]
    held: Sequence[HeldLine]
    pools: Sequence[PoolPart]
    supposed: Sequence[str]
    is_same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfPage:
    """What `district/what_if.html` shows.

    Attributes:
        numbers: Every number of a rule that can be dragged.
        outcome: None where the numbers make no sense; the levers then say why.
        assumed: What was taken as it is known today, in words; empty for nothing.
        draft_url: Where the change can be written down as a draft; empty for who may not.
    """

    region: str
    numbers: Sequence[Choice]
    rule: str
    levers: Sequence[Lever]
    spans: Sequence[Choice]
    methods: Sequence[Choice]
    price: str
    price_label: str
    budget: str
    period: str
    outcome: Outcome | None
    error: str
    assumed: str
    as_of: str
    draft_url: str
    draft: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Lever:
    """A parameter of a pack with the rule and fact that use it first."""

    pack: Pack
    rule: Rule
    parameter: Parameter
    use: FactUse

    @property
    def key(self) -> str:
        return f"{self.pack.id}/{self.parameter.name}"


@get("/district/policies/what-if", rule=Act.TRY_POLICIES)
async def show_what_if(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    number: _Number = "",
    value: _Values = "",
    span: _Span = "past",
    method: _Method = Method.LAST_YEAR.value,
    price: _Yuan = "",
    budget: _Yuan = "",
) -> Response[Any]:
    """Show what a rule with another number would have given, or would give."""
    if level_of(office_scope.region) not in (Level.COUNTY, Level.TOWN, Level.VILLAGE):
        raise NotFoundError
    today = words.local_day(now)
    async with kit.db.read() as conn:
        packs = await packs_in_force(conn, book=county_of(office_scope.region))
        chosen = _chosen(packs, number, today)
        ground = await read_ground(conn, scope=office_scope, packs=packs, on=today)
        region = await find_region(conn, code=office_scope.region)
        towns = await list_children(conn, code=office_scope.region)
    if ground is None or chosen is None:
        raise NotFoundError
    asked = _Asked(
        kit=kit,
        request=request,
        scope=office_scope,
        packs=packs,
        today=today,
        chosen=chosen,
        span="ahead" if span == "ahead" and ground.cube.months >= 2 * MONTHS else "past",
        method=Method(method) if method in list(Method) else Method.LAST_YEAR,
        price=_yuan(price),
        budget=_yuan(budget),
    )
    values = asked.typed(value)
    variant = asked.variant(values)
    outcome = None
    error = ""
    if isinstance(variant, PackRefused):
        problem = variant.problems[0]
        error = problem_words(problem, translate_of(request))
    elif ground.cube.months:
        found = await asyncio.to_thread(asked.scenario, ground, variant)
        async with kit.db.read() as conn:
            people = await list_people(
                conn, scope=office_scope, volunteers=asked.changed_people(ground, found)
            )
        outcome = await asyncio.to_thread(
            asked.outcome, ground, found, people, {each.code: each.name for each in towns}
        )
    return show(
        request,
        "district/what_if.html",
        asked.page(
            region="" if region is None else region.name,
            values=values,
            outcome=outcome,
            error=error,
            ground=ground,
            may_write=actor.may(Act.WRITE_POLICIES)
            and level_of(office_scope.region) is Level.COUNTY,
        ),
        status=422 if error else 200,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    base: Run
    variant: Run
    changes: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question of an office, with everything that does not depend on people."""

    kit: Kit
    request: TimebankRequest
    scope: Scope
    packs: tuple[Pack, ...]
    today: date
    chosen: _Lever
    span: Literal["past", "ahead"]
    method: Method
    price: int | None
    budget: int | None

    @property
    def language(self) -> Language:
        return language_of(self.request)

    @property
    def translate(self) -> Translate:
        return translate_of(self.request)

    @property
    def now_values(self) -> tuple[int, ...]:
        value = self.chosen.parameter.on(max(self.today, self.chosen.rule.valid.from_on)).value
        return tuple(
            each
            for each in (value if isinstance(value, tuple) else (value,))
            if isinstance(each, int)
        )

    @property
    def factor(self) -> int:
        """How much of the fact's unit one step of the slider is: an hour, where hours are meant."""
        is_hours = self.chosen.use.spec.unit is FactUnit.MINUTES and all(
            each % 60 == 0 for each in self.now_values
        )
        return 60 if is_hours else 1

    def typed(self, text: str) -> tuple[int, ...]:
        """The numbers as typed, in the fact's own unit; the enacted ones where none make sense."""
        parts = text.split(",") if text else []
        if len(parts) != len(self.now_values) or not all(
            part.isascii() and part.isdigit() and len(part) < 8 for part in parts
        ):
            return self.now_values
        return tuple(int(part) * self.factor for part in parts)

    def variant(self, values: tuple[int, ...]) -> Pack | PackRefused:
        if values == self.now_values:
            return self.chosen.pack
        first = self.chosen.parameter.values[0].from_on
        is_list = isinstance(self.chosen.parameter.values[0].value, tuple)
        # In a what-if the number holds on all days looked at; a draft names its own first day.
        return with_value(
            self.chosen.pack,
            self.chosen.parameter.name,
            value=values if is_list else values[0],
            from_on=first,
        )

    def scenario(self, ground: Ground, variant: Pack) -> _Found:
        changed = tuple(variant if each.id == variant.id else each for each in self.packs)
        if self.span == "past":
            base = ground.past(self.packs, months=MONTHS)
        else:
            base = ground.ahead(self.packs, months=MONTHS, method=self.method)
        after = ground.again(changed, base)
        names = {(pack.id, rule.id) for pack, rule in _touched(self.packs, self.chosen)}
        kept = tuple(
            each for each in differences(base, after) if (each.name[0], each.name[1]) in names
        )
        return _Found(base, after, kept)

    def changed_people(self, ground: Ground, found: _Found) -> list[int]:
        rows = _changed_rows(found.changes)
        return [int(ground.cube.volunteers[row]) for row, _change in rows[:CHANGED_SHOWN]]

    def outcome(
        self,
        ground: Ground,
        found: _Found,
        people: Mapping[int, NamedPerson],
        towns: Mapping[int, str],
    ) -> Outcome:
        _ = self.translate
        rows = _changed_rows(found.changes)
        gaining = np.logical_or.reduce([each.gains for each in found.changes])
        losing = np.logical_or.reduce([each.loses for each in found.changes])
        # Whoever is given one thing of a menu instead of another neither gains nor loses.
        gains, loses = int((gaining & ~losing).sum()), int((losing & ~gaining).sum())
        swaps = int((gaining & losing).sum())
        moved = int(
            np.logical_or.reduce([each.sooner | each.later for each in found.changes]).sum()
        )
        steps = [(each.base, each.variant) for each in found.changes]
        given = [sum(_total(side) for side in sides) for sides in zip(*steps, strict=True)]
        prices = self.prices
        costs = [
            sum(0 if side is None else int(side.cost(prices).sum()) for side in sides)
            for sides in zip(*steps, strict=True)
        ]
        figures = [
            _figure(_("发放（人次）"), given[0], given[1], words.count),
            Figure(
                label=_("新得到的人"),
                before="",
                after=words.count(gains),
                change="",
                direction="up" if gains else "level",
            ),
            Figure(
                label=_("不再得到的人"),
                before="",
                after=words.count(loses),
                change="",
                direction="down" if loses else "level",
            ),
        ]
        if swaps:
            figures.append(
                Figure(
                    label=_("换成另一项的人"),
                    before="",
                    after=words.count(swaps),
                    change="",
                    direction="level",
                )
            )
        if moved:
            figures.append(
                Figure(
                    label=_("时间有变的人"),
                    before="",
                    after=words.count(moved),
                    change="",
                    direction="level",
                )
            )
        if any(costs):
            figures.append(_figure(_("花费（元）"), costs[0] // 100, costs[1] // 100, words.count))
        return Outcome(
            figures=figures,
            steps=[self._step(each) for each in found.changes],
            months=self._months(found),
            towns=self._towns(found, towns),
            changed=[
                each
                for row, change in rows[:CHANGED_SHOWN]
                if (each := self._person(ground, found, row, change, people, towns)) is not None
            ],
            changed_all=words.count(len(rows)),
            methods=self._methods(ground, found) if self.span == "ahead" else [],
            budgets=self._budgets(found),
            held=self._held(found),
            pools=self._pools(found, towns),
            supposed=[
                _(f"what_if.{each.value}")
                for each in sorted(found.base.assumed | found.variant.assumed)
            ],
            is_same=not rows and not moved,
        )

    def _held(self, found: _Found) -> list[HeldLine]:
        _ = self.translate
        lines: list[HeldLine] = []
        for change in found.changes:
            sides = [
                {} if side is None else side.held_back for side in (change.base, change.variant)
            ]
            for standing in sorted(sides[0].keys() | sides[1].keys()):
                counts = [int(side[standing].sum()) if standing in side else 0 for side in sides]
                if any(counts):
                    lines.append(
                        HeldLine(
                            title=self._title(change),
                            why=_(f"held.{standing.name.lower()}"),
                            before=words.count(counts[0]),
                            after=words.count(counts[1]),
                        )
                    )
        return lines

    def _pools(self, found: _Found, towns: Mapping[int, str]) -> list[PoolPart]:
        used = {
            (pack.id, rule.grant.pool)
            for pack, rule in _touched(self.packs, self.chosen)
            if rule.grant.pool
        }
        return [
            self._pool(found, towns, found.base.find_pool(*key), found.variant.find_pool(*key))
            for key in sorted(used)
        ]

    def _pool(
        self,
        found: _Found,
        towns: Mapping[int, str],
        before: PoolRun | None,
        after: PoolRun | None,
    ) -> PoolPart:
        one = after or before
        if one is None:
            raise AssertionError("a pool that a rule takes from is in a run")
        _ = self.translate
        scale = 100 if one.pool.holds is Holds.FEN else 1
        drains = [
            {} if side is None else {each.period: each for each in side.drains}
            for side in (before, after)
        ]
        digits = 9 if level_of(self.scope.region) is Level.COUNTY else 12
        away = [
            {} if side is None else side.towns(found.base.timeline, digits=digits)
            for side in (before, after)
        ]
        nothing = np.zeros(len(found.base.timeline.months), dtype=np.int64)
        taken = [nothing if side is None else side.taken // scale for side in (before, after)]
        return PoolPart(
            title=own_words(one.pool.title, self.language),
            owner=own_words(one.pool.owner, self.language),
            unit=_(f"pool_unit.{one.pool.holds.value}"),
            periods=[
                self._pool_period(period, drains[0].get(period), drains[1].get(period), scale)
                for period in sorted(drains[0].keys() | drains[1].keys())
            ],
            months=self._month_bars(found, *taken),
            towns=[
                PoolTown(
                    name=towns.get(code, _("住处未知") if not code else str(code)),
                    before=self._away(away[0].get(code)),
                    after=self._away(away[1].get(code)),
                )
                for code in sorted(away[0].keys() | away[1].keys())
            ],
        )

    def _pool_period(
        self, period: str, before: Drain | None, after: Drain | None, scale: int
    ) -> PoolPeriod:
        sides = (before, after)
        opened = max(0 if each is None else each.opened for each in sides)
        taken = [words.count(0 if each is None else each.taken // scale) for each in sides]
        left = [words.count(0 if each is None else each.left_out) for each in sides]
        empty = [self._empty(None if each is None else each.empty) for each in sides]
        return PoolPeriod(
            period=self._period_words(period),
            opened=words.count(opened // scale),
            before=taken[0],
            after=taken[1],
            empty_before=empty[0],
            empty_after=empty[1],
            left_out_before=left[0],
            left_out_after=left[1],
            is_short=after is not None and after.empty is not None,
        )

    def _period_words(self, period: str) -> str:
        year, _dash, month = period.partition("-")
        if year.isdigit() and month.isdigit() and len(month) == 2:
            return words.month(int(year), int(month), language=self.language)
        _ = self.translate
        return _("不分期") if period == Every.LIFETIME.value else period

    def _away(self, found: tuple[date, int] | None) -> str:
        _ = self.translate
        if found is None:
            return _("够用")
        day, people = found
        return _(
            "{month}起不够，{count} 人没轮到",
            month=words.month(day.year, day.month, language=self.language),
            count=words.count(people),
        )

    @property
    def prices(self) -> dict[str, int]:
        if self.price is None:
            return {}
        return {
            rule.grant.item: self.price * 100 for _pack, rule in _touched(self.packs, self.chosen)
        }

    def _title(self, change: Difference) -> str:
        one = change.variant or change.base
        if one is None:
            raise AssertionError("a difference is about a step")
        title = one.rule.title if one.step.level is None else one.step.level.title
        return own_words(title, self.language)

    def _step(self, change: Difference) -> StepLine:
        _ = self.translate
        one = change.variant or change.base
        if one is None:
            raise AssertionError("a difference is about a step")
        cost = ""
        if one.rule.grant.kind is GrantKind.MONEY or one.rule.grant.item in self.prices:
            pair = [
                0 if each is None else int(each.cost(self.prices).sum()) // 100
                for each in (change.base, change.variant)
            ]
            cost = _(
                "{before} → {after} 元", before=words.count(pair[0]), after=words.count(pair[1])
            )
        return StepLine(
            title=self._title(change),
            before=words.count(_total(change.base)),
            after=words.count(_total(change.variant)),
            gains=words.count(int(change.gains.sum())),
            loses=words.count(int(change.loses.sum())),
            sooner=words.count(int(change.sooner.sum())),
            later=words.count(int(change.later.sum())),
            cost=cost,
        )

    def _months(self, found: _Found) -> list[MonthBar]:
        months = found.base.timeline.months
        before, after = (
            np.sum(
                [
                    np.zeros(len(months), dtype=np.int64) if side is None else side.people
                    for side in sides
                ],
                axis=0,
            )
            for sides in zip(*[(each.base, each.variant) for each in found.changes], strict=True)
        )
        return self._month_bars(found, before, after)

    def _month_bars(
        self, found: _Found, before: NDArray[np.int64], after: NDArray[np.int64]
    ) -> list[MonthBar]:
        highest = max(int(before.max(initial=0)), int(after.max(initial=0)), 1)
        return [
            MonthBar(
                label=words.month(day.year, day.month, language=self.language),
                short=str(day.month),
                before=words.count(int(one)),
                after=words.count(int(two)),
                before_height=round(int(one) * 100 / highest),
                after_height=round(int(two) * 100 / highest),
            )
            for day, one, two in zip(found.base.timeline.months, before, after, strict=True)
        ]

    def _towns(self, found: _Found, towns: Mapping[int, str]) -> list[TownLine]:
        timeline = found.base.timeline
        digits = 9 if level_of(self.scope.region) is Level.COUNTY else 12
        held = [
            np.logical_or.reduce(
                [
                    np.zeros(timeline.people, dtype=np.bool_) if side is None else side.first != -1
                    for side in sides
                ]
            )
            for sides in zip(*[(each.base, each.variant) for each in found.changes], strict=True)
        ]
        before, after = (by_division(mask, timeline, digits=digits) for mask in held)
        gains = by_division(held[1] & ~held[0], timeline, digits=digits)
        loses = by_division(held[0] & ~held[1], timeline, digits=digits)
        longest = max([*before.values(), *after.values(), 1])
        order = sorted(before.keys() | after.keys(), key=lambda code: (-after.get(code, 0), code))
        return [
            TownLine(
                name=towns.get(code, str(code)),
                before=words.count(before.get(code, 0)),
                after=words.count(after.get(code, 0)),
                gains=words.count(gains.get(code, 0)),
                loses=words.count(loses.get(code, 0)),
                before_width=round(before.get(code, 0) * 100 / longest),
                after_width=round(after.get(code, 0) * 100 / longest),
            )
            for code in order
        ]

    def _person(
        self,
        ground: Ground,
        found: _Found,
        row: int,
        change: Difference,
        people: Mapping[int, NamedPerson],
        towns: Mapping[int, str],
    ) -> ChangedPerson | None:
        _ = self.translate
        person = people.get(int(ground.cube.volunteers[row]))
        giving = change.variant if change.gains[row] else change.base
        if person is None or giving is None:
            return None
        month = max(int(giving.first[row]), 0)
        day = found.base.timeline.months[month]
        known = facts_of(found.base.timeline, row, month=month)
        results = [
            next(
                each
                for each in evaluate_person(run.packs, known, on=day)
                if (each.pack.id, each.rule.id) == change.name[:2]
            )
            for run in (found.base, found.variant)
        ]
        title = own_words(
            giving.rule.title if giving.step.level is None else giving.step.level.title,
            self.language,
        )
        texts = [
            self._why(result, change.name[2], side, row, found)
            for result, side in zip(results, (change.base, change.variant), strict=True)
        ]
        gains = any(each.gains[row] for each in found.changes)
        loses = any(each.loses[row] for each in found.changes)
        volunteer = VolunteerId(county_of(self.scope.region), person.volunteer)
        number = format_number(volunteer.book, volunteer.id)
        name = masked(person.name_sealed, self.kit.seal, volunteer, _)
        return ChangedPerson(
            name=name,
            town=towns.get(person.home // 1000 * 1000, towns.get(person.home, "")),
            kind="swaps" if gains and loses else "gains" if gains else "loses",
            title=title,
            was=texts[0],
            becomes=texts[1],
            url=f"/district/policies/people?number={number}",
        )

    def _why(
        self, result: RuleResult, step: int, side: StepRun | None, row: int, found: _Found
    ) -> str:
        """Return when somebody is given a step, or why not: it is not met, or did not reach."""
        _ = self.translate
        given = NEVER if side is None else int(side.first[row])
        if given >= 0:
            day = found.base.timeline.months[given]
            at = words.month(day.year, day.month, language=self.language)
            return _("{month}得到", month=at)
        if any(place == step for place in _places_met(result)):
            return _("够条件，没有轮到")
        return nearest_words(explain(result), language=self.language, _=_)

    def _methods(self, ground: Ground, found: _Found) -> list[MethodLine]:
        _ = self.translate
        lines: list[MethodLine] = []
        names = {each.name for each in found.changes}
        changed = found.variant.packs
        for method in Method:
            tests = ground.back_tests(self.packs, method=method)
            said = [sum(test.said) for name, test in tests.items() if name in names]
            came = [sum(test.came) for name, test in tests.items() if name in names]
            runs = [
                ground.again(
                    changed, ground.ahead(self.packs, months=MONTHS, method=method, seed=seed)
                )
                for seed in (range(1, DRAWS + 1) if method is Method.BOOTSTRAP else (1,))
            ]
            points = sorted(
                sum(_total(each) for each in run.steps if each.name in names) for run in runs
            )
            point = points[len(points) // 2]
            share = max(abs(sum(said) - sum(came)) / sum(came) if sum(came) else 1.0, 0.05)
            low, high = round(points[0] * (1 - share)), round(points[-1] * (1 + share))
            lines.append(
                MethodLine(
                    name=_(f"forecast.{method.value}"),
                    how=_(f"forecast.{method.value}.how"),
                    people=words.count(point),
                    interval=f"{words.count(max(low, 0))}\N{EN DASH}{words.count(high)}",
                    error=_(
                        "去年预测 {said}，实际 {came}",
                        said=words.count(sum(said)),
                        came=words.count(sum(came)),
                    ),
                    url=self.url(method=method.value),
                    is_current=method is self.method,
                )
            )
        return lines

    def _budgets(self, found: _Found) -> list[BudgetLine]:
        _ = self.translate
        if self.budget is None:
            return []
        months, opened = found.base.timeline.months, self.budget * 100
        sides = [
            drains(
                np.sum(
                    [
                        np.zeros(len(months), dtype=np.int64)
                        if each is None
                        else each.cost(self.prices)
                        for each in side
                    ],
                    axis=0,
                ),
                months,
                every=Every.CALENDAR_YEAR,
                opens=lambda _day, _left: opened,
            )
            for side in zip(*[(each.base, each.variant) for each in found.changes], strict=True)
        ]
        return [
            BudgetLine(
                period=one.period,
                opened=words.count(one.opened // 100),
                before=words.count(one.asked // 100),
                after=words.count(two.asked // 100),
                empty_before=self._empty(one.empty),
                empty_after=self._empty(two.empty),
                is_short=two.empty is not None,
            )
            for one, two in zip(*sides, strict=True)
        ]

    def _empty(self, day: date | None) -> str:
        _ = self.translate
        if day is None:
            return _("够用")
        return _("{month}用完", month=words.month(day.year, day.month, language=self.language))

    def url(self, **changed: str) -> str:
        query = dict(self.request.query_params.items()) | changed
        return f"/district/policies/what-if?{urlencode(query)}"

    def page(
        self,
        *,
        region: str,
        values: tuple[int, ...],
        outcome: Outcome | None,
        error: str,
        ground: Ground,
        may_write: bool,
    ) -> WhatIfPage:
        _ = self.translate
        months = [each for each in (ground.cube.months,) if each]
        return WhatIfPage(
            region=region,
            numbers=[
                Choice(
                    value=each.key,
                    label=_number_words(each, language=self.language, _=_),
                    is_selected=each.key == self.chosen.key,
                )
                for each in _numbers(self.packs, self.today)
            ],
            rule=own_words(self.chosen.rule.title, self.language),
            levers=self._levers(values, error),
            spans=[
                Choice(
                    value=each,
                    label={"past": _("过去 12 个月，按账本重算"), "ahead": _("未来 12 个月，预测")}[
                        each
                    ],
                    is_selected=each == self.span,
                )
                for each in (("past", "ahead") if ground.cube.months >= 2 * MONTHS else ("past",))
            ],
            methods=[
                Choice(
                    value=each.value,
                    label=_(f"forecast.{each.value}"),
                    is_selected=each is self.method,
                )
                for each in Method
            ],
            price="" if self.price is None else str(self.price),
            price_label=_("每份折合多少元（估算用，可不填）"),
            budget="" if self.budget is None else str(self.budget),
            period=self._period(ground) if months else _("账本里还没有整月的服务"),
            outcome=outcome,
            error=error,
            assumed=_assumed_words(ground, self.language, _),
            as_of=_("截至账本第 {entry} 条", entry=words.count(ground.as_of)),
            draft_url="/district/policies/drafts"
            if may_write and values != self.now_values
            else "",
            draft={
                "pack": self.chosen.pack.id,
                "parameter": self.chosen.parameter.name,
                "values": ",".join(map(str, values)),
            },
        )

    def _period(self, ground: Ground) -> str:
        _ = self.translate
        last = ground.cube.first_month + ground.cube.months - 1
        first = max(last - MONTHS + 1, ground.cube.first_month)
        if self.span == "ahead":
            first, last = last + 1, last + MONTHS
        return _(
            "{first} – {last}，每月最后一天算一次",
            first=words.month(first // 12, first % 12 + 1, language=self.language),
            last=words.month(last // 12, last % 12 + 1, language=self.language),
        )

    def _levers(self, values: tuple[int, ...], error: str) -> list[Lever]:
        _ = self.translate
        tiers = self.chosen.rule.tiers
        levers = []
        for place, (now, value) in enumerate(zip(self.now_values, values, strict=True)):
            label = fact_words(self.chosen.use, language=self.language, _=_)
            if tiers is not None and tiers.parameter.name == self.chosen.parameter.name:
                label = own_words(tiers.levels[place].title, self.language)
            step = now // self.factor
            levers.append(
                Lever(
                    label=label,
                    value=str(value // self.factor),
                    now=need_words(self.chosen.use, now, language=self.language, _=_),
                    low="0",
                    high=str(max(step * 2, 10)),
                    unit=_unit_words(self.chosen.use, self.factor, _),
                    error=error if place == 0 else "",
                )
            )
        return levers


def _chosen(packs: Sequence[Pack], key: str, today: date) -> _Lever | None:
    numbers = _numbers(packs, today)
    # What a reader meets first is a rule of one number, not the five of the stars.
    usual = sorted(numbers, key=_plainness)
    return next((each for each in numbers if each.key == key), usual[0] if usual else None)


def _plainness(number: _Lever) -> tuple[bool, bool, int]:
    value = number.parameter.values[-1].value
    is_time = number.use.spec.unit is FactUnit.MINUTES
    return isinstance(value, tuple), not is_time, value if isinstance(value, int) else 0


def _numbers(packs: Sequence[Pack], today: date) -> list[_Lever]:
    found: dict[str, _Lever] = {}
    for pack in packs:
        for rule in pack.rules:
            if rule.valid.through is not None and rule.valid.through < today - _LOOKED_BACK:
                continue
            for leaf in rule.leaves():
                value = leaf.parameter.values[-1].value
                values = value if isinstance(value, tuple) else (value,)
                is_number = all(
                    isinstance(each, int) and not isinstance(each, bool) for each in values
                )
                if leaf.parameter.name and is_number:
                    number = _Lever(pack, rule, leaf.parameter, leaf.use)
                    found.setdefault(number.key, number)
    return list(found.values())


def _touched(packs: Sequence[Pack], chosen: _Lever) -> list[tuple[Pack, Rule]]:
    """Return the rules that the number decides first, then those that it reaches.

    These are rules that build on them, and those that share a menu or a pool with them.
    """
    direct = [
        rule
        for rule in chosen.pack.rules
        if any(leaf.parameter.name == chosen.parameter.name for leaf in rule.leaves())
    ]
    found = [(chosen.pack, rule) for rule in direct]
    provided = {rule.provides for rule in direct if rule.provides}
    found += [
        (pack, rule)
        for pack in packs
        for rule in pack.rules
        if rule not in direct and any(leaf.use.name in provided for leaf in rule.leaves())
    ]
    shared = {
        (pack.id, kind, each)
        for pack, rule in found
        for kind, each in (("group", rule.group), ("pool", rule.grant.pool))
        if each
    }
    reached = {(pack.id, rule.id) for pack, rule in found}
    found += [
        (pack, rule)
        for pack in packs
        for rule in pack.rules
        if (pack.id, rule.id) not in reached
        and {(pack.id, "group", rule.group), (pack.id, "pool", rule.grant.pool)} & shared
    ]
    return found


def _changed_rows(changes: Sequence[Difference]) -> list[tuple[int, Difference]]:
    """Return who gains or loses what: once each, by rule and number, losers first.

    Of somebody who is given another thing instead, what they lose is told.
    """
    found: dict[int, Difference] = {}
    for mask in ("loses", "gains"):
        for change in changes:
            for row in np.flatnonzero(getattr(change, mask)):
                found.setdefault(int(row), change)
    return list(found.items())


def _places_met(result: RuleResult) -> list[int]:
    met = {id(each.step) for each in result.met}
    return [place for place, step in places_of(result.rule) if id(step) in met]


def _total(step: StepRun | None) -> int:
    return 0 if step is None else int(step.people.sum())


def _figure(label: str, before: int, after: int, write: Any) -> Figure:
    change = after - before
    direction: Literal["up", "down", "level"] = "level"
    if change:
        direction = "up" if change > 0 else "down"
    sign = "+" if change > 0 else ""
    return Figure(
        label=label,
        before=write(before),
        after=write(after),
        change=f"{sign}{write(change)}" if change else "±0",
        direction=direction,
    )


def _number_words(number: _Lever, *, language: Language, _: Translate) -> str:
    title = own_words(number.rule.title, language)
    return f"{title} · {fact_words(number.use, language=language, _=_)}"


def _unit_words(use: FactUse, factor: int, _: Translate) -> str:
    unit = use.spec.unit
    if unit is FactUnit.MINUTES:
        return _("小时") if factor == 60 else _("分钟")
    return "" if unit is None else _(f"unit.{unit.value}")


def _assumed_words(ground: Ground, language: Language, _: Translate) -> str:
    names = sorted({key.name for key in ground.today})
    if not names:
        return ""
    return _(
        "按今天已知的算：{facts}",
        facts=_("、").join(fact_name(FactUse(name), language=language, _=_) for name in names),
    )


def _yuan(text: str) -> int | None:
    if text.isascii() and text.isdigit() and int(text) <= PRICE_MAX * 1_000:
        return int(text)
    return None
