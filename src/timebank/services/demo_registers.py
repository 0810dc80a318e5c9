"""What the reference county's registers say in the demo: drawn, but for what is published of it.

Published are the 2,900 certified social workers. Shares of ages and roles, who works where, what
was reached and who was trained are estimates of ours, so that every page has something to show;
each row that is not published says so in its source.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from timebank.db import Database
from timebank.domain.region import Level
from timebank.domain.register_row import COLUMNS, Register
from timebank.services.demo_year import SEED, DemoCounty
from timebank.services.registering import take_register
from timebank.store.regions import Region

_SAMPLE = "样本数据"
_PUBLISHED = "海盐县公开数据，2024年"
_CERTIFIED = 2_900
_OPENED_ON = "2021-06-01"
_COUNTED_ON = "2024-12-31"
_SINCE = "2016-01-01"

_BIRTH_YEARS = ((2008, 2012), (1990, 2006), (1965, 1989), (1944, 1964))
_BIRTH_SHARES = (0.04, 0.23, 0.45, 0.28)
_PARTY_SHARE = 0.12
_SOCIAL_WORKER_SHARE = 0.02
_SILENT_SHARE = 0.03
"""Of these nobody has said anything."""

_TRAINED = 90
_REACHED = 400

_Rows = list[tuple[object, ...]]


async def register_demo(
    db: Database,
    *,
    book: int,
    county: DemoCounty,
    below: Sequence[Region],
    references: Sequence[str],
    now: datetime,
) -> None:
    """Take the registers of the demo county, through the same door as a district's own files.

    Safe to run again: the rows are the same on every machine.
    """
    random = np.random.default_rng([SEED, 2024])
    stations, figures = _stations(below, random)
    registers: dict[Register, _Rows] = {
        Register.STATIONS: stations,
        Register.FIGURES: figures,
        Register.PROFILES: _profiles(references, random),
        Register.TRAININGS: [
            (reference, f"2024-0{3 + place % 6}-16", "应急救护培训", "县红十字会（样本）", 120)
            for place, reference in enumerate(references[:_TRAINED])
        ],
        Register.SESSIONS: _sessions(county, random),
    }
    for register, rows in registers.items():
        result = await take_register(
            db,
            book=book,
            register=register,
            header=[column.name for column in COLUMNS[register]],
            lines=list(enumerate(rows, 2)),
            file=_SAMPLE,
            now=now,
        )
        if result.refused:
            raise AssertionError(f"the demo's own row was refused: {result.refused[0]}")


def _stations(below: Sequence[Region], random: np.random.Generator) -> tuple[_Rows, _Rows]:
    center = "县社会工作服务中心"
    stations: _Rows = [(center, "center", below[0].code, _OPENED_ON, None)]
    figures: _Rows = [(center, "certified", _COUNTED_ON, _CERTIFIED, _PUBLISHED)]
    towns = [each for each in below if each.level is Level.TOWN]
    # One town has none yet, so that coverage is a number to improve.
    for town in towns[:-1]:
        name = f"{town.name}社会工作站"
        stations.append((name, "station", town.code, _OPENED_ON, None))
        for figure, low, high in (
            ("workers", 3, 9),
            ("people_in_need", 60, 140),
            ("people_served", 300, 700),
        ):
            count = int(random.integers(low, high))
            figures.append((name, figure, _COUNTED_ON, count, _SAMPLE))
    stations += [
        (f"{each.code}社会工作室", "room", each.code, _OPENED_ON, None)
        for each in below
        if each.level is Level.VILLAGE and ("社区" in each.name or "居委会" in each.name)
    ]
    return stations, figures


def _profiles(references: Sequence[str], random: np.random.Generator) -> _Rows:
    count = len(references)
    bands = random.choice(len(_BIRTH_YEARS), count, p=_BIRTH_SHARES).tolist()
    years = random.random(count).tolist()
    is_member = (random.random(count) < _PARTY_SHARE).tolist()
    is_worker = (random.random(count) < _SOCIAL_WORKER_SHARE).tolist()
    is_silent = (random.random(count) < _SILENT_SHARE).tolist()
    rows: _Rows = []
    for place, reference in enumerate(references):
        if is_silent[place]:
            continue
        first, last = _BIRTH_YEARS[bands[place]]
        is_minor = bands[place] == 0
        rows.append(
            (
                reference,
                _SINCE,
                first + int(years[place] * (last - first + 1)),
                "是" if is_member[place] and not is_minor else "否",
                "是" if is_worker[place] and not is_minor else "否",
            )
        )
    return rows


def _sessions(county: DemoCounty, random: np.random.Generator) -> _Rows:
    rows: _Rows = []
    for place in random.permutation(len(county.works))[:_REACHED].tolist():
        work = county.works[place]
        people, households = int(random.integers(5, 60)), int(random.integers(2, 20))
        day = f"2024-{random.integers(1, 13):02}-{random.integers(1, 29):02}"
        is_visit = work.field == "elder_care"
        rows.append(
            (
                work.organization,
                work.title,
                work.field,
                work.place,
                day,
                1,
                people,
                households if is_visit else None,
            )
        )
    return rows
