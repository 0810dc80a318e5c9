"""A year of service in the reference county, made from one seed: the same rows on every machine.

Only totals are the county's: who served when, where and how is drawn, and nobody in it exists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from timebank.domain.organization import OrganizationKind
from timebank.domain.population import share_out
from timebank.domain.region import Level
from timebank.domain.service_field import ServiceField
from timebank.domain.service_row import Column, place_names
from timebank.services.service_file import Header, Line, Progress
from timebank.store.regions import Region

SEED = 330424
"""Of every draw; the county's code, so that it is not a chosen one."""

HEADER = Header(
    columns={
        Column.VOLUNTEER: 0,
        Column.RECORD: 1,
        Column.ACTIVITY: 2,
        Column.ORGANIZATION: 3,
        Column.FIELD: 4,
        Column.PLACE: 5,
        Column.START: 6,
        Column.MINUTES: 7,
        Column.EVIDENCE: 8,
    },
    cells=9,
    ignored=(),
)
"""The columns of the rows, as they would stand in a district's file."""

_TITLES: dict[ServiceField, tuple[str, ...]] = {
    ServiceField.ELDER_CARE: ("独居老人探访", "长者食堂帮厨", "老年人手机课堂"),
    ServiceField.CHILD_CARE: ("四点半课堂", "暑期儿童看护"),
    ServiceField.DISABILITY: ("残疾人家庭上门服务",),
    ServiceField.COMMUNITY: ("便民服务日", "楼道清洁"),
    ServiceField.ENVIRONMENT: ("河道清洁", "垃圾分类劝导", "海塘净滩"),
    ServiceField.CULTURE: ("文化礼堂值守", "送戏下乡服务"),
    ServiceField.SPORTS: ("健身指导",),
    ServiceField.EDUCATION: ("农家书屋值守", "学业辅导"),
    ServiceField.HEALTH: ("义诊服务", "献血引导"),
    ServiceField.EMERGENCY: ("防汛巡查", "急救培训协助"),
    ServiceField.TRAFFIC: ("路口文明劝导", "上下学护学"),
    ServiceField.LEGAL_AID: ("法律咨询",),
    ServiceField.SCIENCE: ("科普宣传",),
    ServiceField.LARGE_EVENT: ("赛事服务",),
    ServiceField.CIVILITY: ("文明巡访",),
    ServiceField.RURAL: ("美丽庭院整治", "助农采收"),
    ServiceField.PUBLIC_SAFETY: ("平安夜巡",),
    ServiceField.MUTUAL_AID: ("邻里互助",),
    ServiceField.COUNSELLING: ("心理陪伴",),
    ServiceField.OTHER: ("办事大厅引导",),
}

_ACTIVITIES_PER_VILLAGE = 9
_ACTIVITIES_PER_TOWN = 14

_LENGTHS = (60, 90, 120, 150, 180, 210, 240, 300, 360)
_LENGTH_SHARES = (0.06, 0.10, 0.17, 0.14, 0.18, 0.11, 0.13, 0.07, 0.04)
"""Planned minutes of a service and how often; they average about 178."""

_STARTS = ("08:00", "08:30", "09:00", "13:00", "13:30", "14:00", "18:30")
_EVENING = 6
_EVENING_MINUTES_MAX = 180

_EVIDENCE = ("scanned", "confirmed", "declared")
_EVIDENCE_SHARES = (0.62, 0.24, 0.14)
_HABIT_SHARE = 0.8
"""How often a service is evidenced in the volunteer's usual way."""

_WEEKDAY_WEIGHTS = (0.8, 0.8, 0.9, 0.8, 1.0, 2.1, 1.7)
_MONTH_WEIGHTS = (0.8, 0.6, 1.5, 1.1, 1.1, 1.0, 1.1, 1.0, 0.9, 1.1, 1.0, 1.2)
"""March is the month of learning from Lei Feng, February has the Spring Festival."""

_DAYS_MAX = 200
"""On how many days of a year one person serves at most: nobody is in two places on one day."""


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """An organization named after a real division."""

    name: str
    kind: OrganizationKind
    region: int


@dataclass(frozen=True, slots=True)
class DemoWork:
    """One activity of an organization, as the cells of a row name it."""

    title: str
    organization: str
    field: str
    place: str


@dataclass(frozen=True, slots=True)
class DemoCounty:
    """Who could organize what where.

    Attributes:
        villages: Codes, in order.
        works: All activities, village by village, then town by town.
        works_of: For each village, by its place in `villages`, the activities open to it.
    """

    villages: tuple[int, ...]
    organizations: tuple[DemoOrganization, ...]
    works: tuple[DemoWork, ...]
    works_of: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPlan:
    """What a year must come to.

    Attributes:
        first_on: First day on which somebody serves.
        last_on: Last such day.
        active: How many serve at all, each at least once.
        services: How many rows.
        minutes: What they sum to, exactly.
        fixed_services: How many of the rows are the first volunteer's, of 180 minutes each.
    """

    first_on: date
    last_on: date
    active: int
    services: int
    minutes: int
    fixed_services: int

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return (self.last_on - self.first_on).days + 1


def plan_county(below: Sequence[Region]) -> DemoCounty:
    """Return organizations and activities for the divisions of a county."""
    random = np.random.default_rng(SEED)
    towns = {each.code: each for each in below if each.level is Level.TOWN}
    villages = [each for each in below if each.level is Level.VILLAGE]
    pool = [(title, field.code) for field, titles in _TITLES.items() for title in titles]
    organizations: list[DemoOrganization] = []
    works: list[DemoWork] = []
    own: dict[int, list[int]] = {}
    of_town: dict[int, list[int]] = {town: [] for town in towns}

    def add(organization: DemoOrganization, count: int, places: Sequence[int]) -> list[int]:
        organizations.append(organization)
        first = len(works)
        for title, field in (pool[pick] for pick in random.permutation(len(pool))[:count]):
            place = places[int(random.integers(len(places)))]
            works.append(DemoWork(title, organization.name, field, str(place)))
        return list(range(first, len(works)))

    for village in villages:
        town = towns[village.parent or 0]
        short = min(place_names(village.name), key=len)
        name = short if short.startswith(town.name) else town.name + short
        team = DemoOrganization(name + "志愿服务队", OrganizationKind.COMMUNITY, village.code)
        own[village.code] = add(team, _ACTIVITIES_PER_VILLAGE, [village.code])
    for code, town in towns.items():
        inside = [village.code for village in villages if village.parent == code]
        for suffix, kind in (
            ("志愿服务队", OrganizationKind.TEAM),
            ("社会工作站", OrganizationKind.STATION),
        ):
            organization = DemoOrganization(town.name + suffix, kind, code)
            of_town[code] += add(organization, _ACTIVITIES_PER_TOWN, inside)
    works_of = np.array(
        [own[village.code] + of_town[village.parent or 0] for village in villages], dtype=np.int32
    )
    return DemoCounty(
        tuple(village.code for village in villages),
        tuple(organizations),
        tuple(works),
        works_of,
    )


def draw_homes(county: DemoCounty, residents: dict[int, int], *, count: int) -> NDArray[np.int32]:
    """Return the place in `villages` of each volunteer's home.

    Villages by their residents, times how keen each is: some have twice as many volunteers.
    """
    random = np.random.default_rng(SEED + 1)
    keen = random.integers(60, 141, len(county.villages)).tolist()
    shares = share_out(
        count,
        {
            code: residents[code] * keenness
            for code, keenness in zip(county.villages, keen, strict=True)
        },
    )
    homes = np.repeat(
        np.arange(len(county.villages), dtype=np.int32), [shares[each] for each in county.villages]
    )
    return random.permutation(homes)


class DemoYear:
    """The rows of a year in the order of their start.

    Args:
        homes: For each registered volunteer the place of their village.
        references: For each registered volunteer their number in the files.
    """

    def __init__(
        self,
        county: DemoCounty,
        plan: YearPlan,
        *,
        homes: NDArray[np.int32],
        references: Sequence[str],
    ) -> None:
        self._county = county
        self._plan = plan
        self._references = references
        random = np.random.default_rng([SEED, plan.first_on.year])
        active = _draw_active(random, plan, homes)
        counts = _draw_counts(random, plan)
        volunteers = np.repeat(active, counts)
        days = _draw_days(random, plan, counts)
        works = _draw_works(random, county, homes[volunteers])
        evidence = _draw_evidence(random, len(active), counts)
        minutes, starts = _draw_times(random, plan, works, evidence, is_fixed=volunteers == 0)
        order = np.lexsort((volunteers, works, starts, days))
        self._volunteers = volunteers[order].astype(np.int32)
        self._days = days[order].astype(np.int16)
        self._works = works[order].astype(np.int32)
        self._starts = starts[order].astype(np.int8)
        self._minutes = minutes[order].astype(np.int16)
        self._evidence = evidence[order].astype(np.int8)

    def lines(self, *, chunk: int = 8_000) -> Iterator[Line]:
        """Yield the rows as a district's file has them, without the header."""
        plan, county = self._plan, self._county
        days = [(plan.first_on + timedelta(days=day)).isoformat() + " " for day in range(plan.days)]
        texts = [str(number) for number in range(int(self._minutes.max()) + 1)]
        year = plan.first_on.year * 100_000_000
        for first in range(0, plan.services, chunk):
            span = slice(first, first + chunk)
            progress = Progress(min(first + chunk, plan.services), plan.services)
            columns = zip(
                self._volunteers[span].tolist(),
                self._works[span].tolist(),
                self._days[span].tolist(),
                self._starts[span].tolist(),
                self._minutes[span].tolist(),
                self._evidence[span].tolist(),
                strict=True,
            )
            for number, (volunteer, at, day, start, minutes, class_) in enumerate(
                columns, first + 1
            ):
                work = county.works[at]
                yield (
                    number + 1,
                    (
                        self._references[volunteer],
                        str(year + number),
                        work.title,
                        work.organization,
                        work.field,
                        work.place,
                        days[day] + _STARTS[start],
                        texts[minutes],
                        _EVIDENCE[class_],
                    ),
                    progress,
                )


def _draw_active(
    random: np.random.Generator, plan: YearPlan, homes: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return who serves; the first volunteer always does, others by how lively their village is."""
    lively = random.normal(0.0, 0.6, int(homes.max()) + 1)
    # The largest of these are a draw without replacement by weight (Gumbel's trick).
    keys = lively[homes] + random.gumbel(size=len(homes))
    keys[0] = np.inf
    return np.sort(np.argpartition(-keys, plan.active - 1)[: plan.active])


def _draw_counts(random: np.random.Generator, plan: YearPlan) -> NDArray[np.int64]:
    """Return how often each active volunteer serves: a few often, most now and then."""
    most = min(_DAYS_MAX, plan.days)
    weights = random.lognormal(0.0, 0.75, plan.active - 1)
    left = plan.services - plan.fixed_services
    wanted = np.clip(np.rint(weights / weights.sum() * left), 1, most).astype(np.int64)
    # Rounding and the bounds leave a rest, which is dealt out one by one in a drawn order.
    while (rest := left - int(wanted.sum())) != 0:
        step = 1 if rest > 0 else -1
        able = np.flatnonzero(wanted < most if rest > 0 else wanted > 1)
        wanted[random.permutation(able)[: abs(rest)]] += step
    return np.concatenate(([plan.fixed_services], wanted))


def _draw_days(
    random: np.random.Generator, plan: YearPlan, counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the day of every service; one person's days all differ."""
    all_days = [plan.first_on + timedelta(days=day) for day in range(plan.days)]
    weights = np.array(
        [_WEEKDAY_WEIGHTS[day.weekday()] * _MONTH_WEIGHTS[day.month - 1] for day in all_days]
    )
    until = np.cumsum(weights / weights.sum())
    person = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(person)) - np.repeat(np.cumsum(counts) - counts, counts)
    count = counts[person]
    days = np.searchsorted(until, (place + random.random(len(person))) / count)
    # The days rise with the place; where two are the same, the later one moves on.
    spread = person * (2 * plan.days)
    days = np.maximum.accumulate(days - place + spread) - spread + place
    moved: NDArray[np.int64] = np.minimum(days, plan.days - count + place)
    return moved


def _draw_works(
    random: np.random.Generator, county: DemoCounty, homes: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the activity of every service: seven of ten in the volunteer's own village."""
    is_own = random.random(len(homes)) < 0.7
    own = random.integers(0, _ACTIVITIES_PER_VILLAGE, len(homes))
    town = random.integers(_ACTIVITIES_PER_VILLAGE, county.works_of.shape[1], len(homes))
    works: NDArray[np.int32] = county.works_of[homes, np.where(is_own, own, town)]
    return works


def _draw_evidence(
    random: np.random.Generator, active: int, counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    habit = np.repeat(random.choice(3, active, p=_EVIDENCE_SHARES), counts)
    other = random.choice(3, len(habit), p=_EVIDENCE_SHARES)
    return np.where(random.random(len(habit)) < _HABIT_SHARE, habit, other)


def _draw_times(
    random: np.random.Generator,
    plan: YearPlan,
    works: NDArray[np.int32],
    evidence: NDArray[np.int64],
    *,
    is_fixed: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return minutes that sum to the plan's exactly, and the start of every service."""
    planned = random.choice(_LENGTHS, len(works), p=_LENGTH_SHARES)
    starts = random.integers(0, len(_STARTS), len(works))
    starts = np.where((starts == _EVENING) & (planned > _EVENING_MINUTES_MAX), 0, starts)
    # People come a little late and leave a little early; what is entered by hand is round.
    is_free = (evidence < 2) & ~is_fixed
    minutes = np.where(is_free, planned - random.integers(0, 9, len(works)), planned)
    minutes = np.where(is_fixed, 180, minutes)
    free = np.flatnonzero(is_free)
    each, rest = divmod(plan.minutes - int(minutes.sum()), len(free))
    minutes[free] += each
    minutes[random.permutation(free)[:rest]] += 1
    if minutes.min() < 1:
        raise ValueError("the plan has too few minutes for its services")
    return minutes, starts
