"""Everybody's service by month, as `policy.cube` has it."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance
from timebank.domain.period import local_day
from timebank.domain.scope import Scope
from timebank.policy.cube import Cube, Matrix, Measure, frozen, month_number

_CODE_MAX = 10**12

_PEOPLE = text(
    """
    select v.id, coalesce(v.registered_at, v.enrolled_at), home.region
    from volunteer v
    join lateral (
        select r.region from residence r where r.book_id = v.book_id and r.volunteer_id = v.id
        order by r.from_on desc limit 1
    ) home on true
    where v.book_id = :book and v.ended_at is null and home.region between :first and :last
        and (cast(:only as bigint) is null or v.id = :only)
    order by v.id
    """
)

_MONTHS = text(
    """
    select month, assurance, string_agg(int8send(volunteer), ''), string_agg(int8send(minutes), ''),
        string_agg(int8send(services), '')
    from (
        select month, assurance, volunteer, minutes, services::bigint
        from volunteer_month
        where book_id = :book and (cast(:only as bigint) is null or volunteer = :only)
        union all
        select month, assurance, volunteer, minutes, services::bigint
        from opening_month
        where book_id = :book and served_book <> :book
            and (cast(:only as bigint) is null or volunteer = :only)
    ) each
    group by month, assurance
    """
)


async def read_cube(
    conn: AsyncConnection, *, scope: Scope, book: int, zone: ZoneInfo, through: date
) -> Cube:
    """Return the service of everybody who lives in a scope, by month, through a day's month.

    What was brought from another county's book counts in the month in which it was served.

    Shape: rows from the first month with any service.

    Cost: two statements; the second reads the roll-up once.
    """
    codes = scope.codes
    asked = {"book": book, "first": codes.start, "last": codes.stop - 1, "only": None}
    return await _read(conn, asked, zone=zone, through=through)


async def read_own_cube(
    conn: AsyncConnection, *, volunteer: VolunteerId, zone: ZoneInfo, through: date
) -> Cube:
    """Return the same for one person."""
    asked = {"book": volunteer.book, "first": 0, "last": _CODE_MAX, "only": volunteer.id}
    return await _read(conn, asked, zone=zone, through=through)


async def _read(
    conn: AsyncConnection, asked: Mapping[str, int | None], *, zone: ZoneInfo, through: date
) -> Cube:
    people = (await conn.execute(_PEOPLE, asked)).all()
    rows = (await conn.execute(_MONTHS, asked)).all()
    volunteers = np.array([row[0] for row in people], dtype=np.int64)
    numbers = [month_number(date(row[0] // 100, row[0] % 100, 1)) for row in rows]
    last = month_number(through)
    first = min(numbers, default=last)
    sums = {
        (measure, grade): np.zeros((max(last - first + 1, 0), len(volunteers)), dtype=np.int32)
        for measure in Measure
        for grade in Assurance
    }
    for number, (_month, assurance, *packed) in zip(numbers, rows, strict=True):
        if number > last:
            continue
        who, minutes, services = (
            np.frombuffer(each, dtype=">i8").astype(np.int64) for each in packed
        )
        places = np.searchsorted(volunteers, who)
        is_inside = places < len(volunteers)
        is_inside[is_inside] = volunteers[places[is_inside]] == who[is_inside]
        for measure, values in ((Measure.MINUTES, minutes), (Measure.SERVICES, services)):
            _add(
                sums[measure, Assurance(assurance)],
                number - first,
                places[is_inside],
                values[is_inside],
            )
    for measure in Measure:
        for better, grade in ((3, 2), (2, 1), (1, 0)):
            sums[measure, Assurance(grade)] += sums[measure, Assurance(better)]
    return Cube(
        volunteers=frozen(volunteers),
        first_month=first,
        sums={key: frozen(matrix) for key, matrix in sums.items()},
        homes=frozen(np.array([row[2] for row in people], dtype=np.int64)),
        enrolled=frozen(
            np.array([local_day(row[1], zone=zone).toordinal() for row in people], dtype=np.int64)
        ),
    )


def _add(matrix: Matrix, row: int, places: NDArray[np.intp], values: NDArray[np.int64]) -> None:
    # Somebody may have several lines in a month: measured ends are told apart there.
    np.add.at(matrix[row], places, values.astype(np.int32))
