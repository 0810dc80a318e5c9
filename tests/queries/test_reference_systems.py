"""What other places publish, made again from raw records through the product's own doors.

Where a published volume is huge it is scaled down, and the test says so; where a figure can be
counted it is the published one.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.factories import KEY, World

from timebank.db import Database
from timebank.domain.as_of import AsOf
from timebank.domain.definition import Definition
from timebank.domain.enrolment import NewVolunteer
from timebank.domain.metric import Breakdown
from timebank.domain.region import Level
from timebank.domain.register_row import Register
from timebank.domain.scope import Scope
from timebank.domain.service_row import FIELD_NAMES
from timebank.domain.window import Window
from timebank.queries.numbers import Numbers, read_numbers
from timebank.services.enrolment import enrol_volunteers
from timebank.services.founding import found_county
from timebank.services.importing import import_services
from timebank.services.registering import import_register
from timebank.store import regions
from timebank.store.definitions import find_definition
from timebank.store.regions import Region
from timebank.store.seal import Seal

NOW = datetime(2025, 2, 1, tzinfo=UTC)
ENROLLED = datetime(2020, 1, 1, tzinfo=UTC)
YEAR = Window.of_year(2024)


class Office:
    """A district office with its files."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db = db
        self.folder = folder

    def write(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
        path = self.folder / "file.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return path

    async def register(
        self, book: int, register: Register, header: str, rows: Iterable[Sequence[object]]
    ) -> None:
        path = self.write(header.split(","), rows)
        result = await import_register(self.db, book=book, register=register, path=path, now=NOW)
        assert result.refused == []
        assert result.rows_written == result.rows > 0

    async def enrol(self, book: int, village: int, count: int) -> None:
        people = [
            NewVolunteer(
                reference=f"V{number}", name=None, phone=None, village=village, enrolled_at=ENROLLED
            )
            for number in range(count)
        ]
        await enrol_volunteers(self.db, seal=Seal(KEY), book=book, people=people, now=NOW)

    async def serve(self, book: int, rows: Iterable[tuple[int, str]], place: int) -> None:
        """Import one service for each `(volunteer, evidence)`."""
        path = self.write(
            ("志愿者编号", "活动", "组织", "服务领域", "地点", "开始时间", "分钟", "证据"),
            [
                (
                    f"V{number}",
                    "社区服务",
                    "志愿服务队",
                    "社区服务",
                    place,
                    "2024-03-05 09:00",
                    180,
                    evidence,
                )
                for number, evidence in rows
            ],
        )
        result = await import_services(
            self.db, book=book, path=path, now=NOW, is_evidence_trusted=True
        )
        assert result.rows_refused == 0

    async def numbers(
        self,
        region: int,
        *metrics: str,
        window: Window = YEAR,
        by: Breakdown = Breakdown.REGION,
        definition: str = "active-rate.residents.any-hour",
    ) -> Numbers:
        async with self.db.read() as conn:
            found = await read_numbers(
                conn,
                scope=Scope(region),
                metrics=metrics,
                definition=named(definition),
                window=window,
                by=by,
            )
        assert found is not None
        return found


def named(definition: str) -> Definition:
    found = find_definition(definition, on=date(2024, 12, 31))
    assert found is not None
    return found


def parted(whole: int, parts: int) -> list[int]:
    """Return whole numbers that sum to another, none of them 0."""
    each, rest = divmod(whole, parts)
    return [each + (place < rest) for place in range(parts)]


def days(count: int) -> list[date]:
    return [date(2024, 1, 1) + timedelta(days=place) for place in range(count)]


async def test_haiyan_and_ningbo_from_services(db: Database, world: World, tmp_path: Path) -> None:
    office = Office(db, tmp_path)

    # Haiyan, 72,000 of 456,775 residents: a hundredth of both, and the published rate.
    haiyan, village = 330424000000, 330424101003
    await found_county(db, book=330424, now=NOW)
    await office.register(
        330424,
        Register.RESIDENTS,
        "区划,截至,人数,来源,估算",
        [(haiyan, "2024-12-31", 4_568, "census of 2020, a hundredth", "是")],
    )
    await office.enrol(330424, village, 1_400)
    await office.serve(330424, ((number, "declared") for number in range(720)), village)
    found = await office.numbers(haiyan, "active", "registered", "active_rate", "minutes")
    assert found.rows[0].values == (720, 1_400, 1_576, 720 * 180)
    assert found.as_of_books == (AsOf(330424, 720),)
    # The neighbour's population is not known: neither is its rate, and it is not 0.
    city = await office.numbers(330400000000, "active", "active_rate")
    assert city.rows[0].values == (720, None)

    # Ningbo, one year, one district: 28 % by credit hours, 90 % by credit and honour hours.
    ningbo, quarter = 330203000000, 330203003001
    await found_county(db, book=330203, now=NOW)
    await office.enrol(330203, quarter, 1_000)
    await office.serve(
        330203,
        [(number, "scanned" if number < 280 else "declared") for number in range(900)],
        quarter,
    )
    rates = {}
    for definition in ("ningbo.credit-hours", "ningbo.combined-hours"):
        found = await office.numbers(ningbo, "active_rate", definition=definition)
        rates[definition] = found.rows[0].values[0]
    assert rates == {"ningbo.credit-hours": 2_800, "ningbo.combined-hours": 9_000}


async def test_counted_services_stations_and_staff(
    db: Database, world: World, tmp_path: Path
) -> None:
    office = Office(db, tmp_path)
    counties = {
        540529: 540529100000,
        440304: 440304001000,
        310104: 310104003000,
        350502: 350502001000,
    }
    suzhou = [320505, 320506, 320507, 320508]
    towns = {book: [book * 1_000_000 + n * 1_000 for n in range(1, 25)] for book in suzhou}
    async with db.write() as conn:
        await regions.insert_regions(
            conn,
            regions=[
                Region(320500000000, "苏州市", Level.CITY, 320000000000),
                *(
                    Region(book * 1_000_000, str(book), Level.COUNTY, book // 100 * 100_000_000)
                    for book in (*counties, *suzhou)
                ),
                *(
                    Region(town, str(town), Level.TOWN, town // 1_000_000 * 1_000_000)
                    for town in (
                        *counties.values(),
                        *(each for of in towns.values() for each in of),
                    )
                ),
            ],
        )
    for book in (*counties, *suzhou):
        await world.open_book(book)

    # Longzi, Tibet: counted services by kind.
    sessions = "组织,活动,服务领域,地点,日期,次数,服务人次,服务户次"
    town = counties[540529]
    await office.register(
        540529,
        Register.SESSIONS,
        sessions,
        [
            *(
                ("社工站", "集中服务", "社区服务", town, day, 1, people, "")
                for day, people in zip(days(62), parted(832, 62), strict=True)
            ),
            *(
                ("社工站", "入户走访", "敬老助老", town, day, times, "", households)
                for day, times, households in zip(
                    days(51), parted(255, 51), parted(764, 51), strict=True
                )
            ),
            *(
                ("社工站", "政策宣讲", "文明倡导", town, day, 1, people, "")
                for day, people in zip(days(43), parted(6_025, 43), strict=True)
            ),
        ],
    )
    found = await office.numbers(
        540529000000, "sessions", "people_served", "households_served", by=Breakdown.FIELD
    )
    assert {row.key: row.values for row in found.rows} == {
        "community": (62, 832, None),
        "elder_care": (255, None, 764),
        "civility": (43, 6_025, None),
    }

    # Shenzhen: 140 million person-times in 20 fields since 2007.
    names = list(FIELD_NAMES)
    await office.register(
        440304,
        Register.SESSIONS,
        sessions,
        [
            *(
                ("社工机构", name, name, counties[440304], date(2007 + n % 17, 6, 1), 1, people, "")
                for n, (name, people) in enumerate(
                    zip(names[:18], parted(130_000_000, 18), strict=True)
                )
            ),
            *(
                ("社工机构", name, name, counties[440304], date(2024, 6, 1), 1, 5_000_000, "")
                for name in names[18:]
            ),
        ],
    )
    found = await office.numbers(
        440304000000, "people_served", by=Breakdown.FIELD, window=Window.ever(date(2024, 12, 31))
    )
    assert len(found.rows) == 20
    assert sum(row.values[0] or 0 for row in found.rows) == 140_000_000
    this_year = await office.numbers(440304000000, "people_served")
    assert this_year.rows[0].values == (10_000_000,)

    # Suzhou: 90 stations in 96 towns, 94 %; 1,102 rooms; 18,000 certified.
    stations = "名称,层级,区划,成立日期"
    figures = "站点,指标,统计日期,人数,来源"
    rooms = iter(parted(1_102, len(suzhou)))
    for book, without in zip(suzhou, (1, 1, 2, 2), strict=True):
        with_station = towns[book][without:]
        await office.register(
            book,
            Register.STATIONS,
            stations,
            [
                *((f"站{each}", "站", each, "2022-01-01") for each in with_station),
                *((f"室{n}", "室", towns[book][0], "2022-01-01") for n in range(next(rooms))),
            ],
        )
        await office.register(
            book,
            Register.FIGURES,
            figures,
            [(f"站{with_station[0]}", "持证人员", "2024-12-31", 4_500, "年报")],
        )
    found = await office.numbers(
        320500000000,
        "stations",
        "rooms",
        "towns_covered",
        "station_coverage",
        "workers_certified",
        "workers",
    )
    assert found.rows[0].values == (90, 1_102, 90, 9_375, 18_000, None)

    # Shanghai: almost 700 youth workers, and how many young people there are for each.
    await office.register(
        310104,
        Register.STATIONS,
        stations,
        [("青少年事务社工站", "中心", 310104000000, "2004-01-01")],
    )
    await office.register(
        310104,
        Register.FIGURES,
        figures,
        [
            ("青少年事务社工站", "专职人员", "2023-12-31", 650, "年报"),
            ("青少年事务社工站", "专职人员", "2024-12-31", 698, "年报"),
            ("青少年事务社工站", "服务对象", "2024-12-31", 104_700, "年报"),
        ],
    )
    found = await office.numbers(310104000000, "workers", "care_per_worker", "residents_per_worker")
    assert found.rows[0].values == (698, 150, None)
    before = await office.numbers(310104000000, "workers", window=Window.of_year(2023))
    assert before.rows[0].values == (650,)

    # Licheng: three tiers, 8 stations, and a register of 835 / 455 / 58.
    await office.register(
        350502,
        Register.STATIONS,
        stations,
        [
            ("区中心", "center", 350502000000, "2021-01-01"),
            *((f"街道站{n}", "station", counties[350502], "2021-01-01") for n in range(8)),
            ("社区室", "room", counties[350502], "2021-01-01"),
        ],
    )
    await office.register(
        350502,
        Register.FIGURES,
        figures,
        [
            *(
                (f"街道站{n}", figure, "2024-12-31", count, "年报")
                for figure, whole in (("需要帮助的人", 835), ("志愿者", 455), ("爱心企业", 58))
                for n, count in enumerate(parted(whole, 8))
            )
        ],
    )
    found = await office.numbers(
        350502000000,
        "centers",
        "stations",
        "rooms",
        "people_in_need",
        "volunteers_listed",
        "enterprises_listed",
    )
    assert found.rows[0].values == (1, 8, 1, 835, 455, 58)
