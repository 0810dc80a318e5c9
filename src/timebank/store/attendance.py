"""Arrivals and departures, and the facts that decide a scan."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.attendance import ScanFacts

_FACTS = """
    select v.id, v.minutes_account, named.shift_book, named.shift,
        h.activity_id, a.field, a.region, h.starts_at, h.ends_at,
        h.cancelled_at is not null or a.cancelled_at is not null, h.closed_at,
        s.signed_up_at is not null and s.withdrawn_at is null,
        t.arrived_at, t.left_at, coalesce(t.arrival_measured, false)
    from unnest($2::bigint[], $3::int[], $4::bigint[]) as named(volunteer, shift_book, shift)
    join volunteer v on v.book_id = $1 and v.id = named.volunteer and v.ended_at is null
    join shift h on h.book_id = named.shift_book and h.id = named.shift
    join activity a on a.book_id = h.book_id and a.id = h.activity_id
    left join signup s on s.book_id = $1 and s.volunteer_id = v.id
        and s.shift_book = named.shift_book and s.shift_id = named.shift
    left join attendance t on t.book_id = $1 and t.volunteer_id = v.id
        and t.shift_book = named.shift_book and t.shift_id = named.shift
"""

_RECORD = """
    insert into attendance as t
        (book_id, volunteer_id, shift_book, shift_id, arrived_at, arrival_measured, left_at,
            departure_measured)
    select $1, volunteer, shift_book, shift, arrived_at, arrival_measured, left_at,
        case when left_at is not null then $8::boolean end
    from unnest(
        $2::bigint[], $3::int[], $4::bigint[], $5::timestamptz[], $6::boolean[], $7::timestamptz[]
    ) as stay(volunteer, shift_book, shift, arrived_at, arrival_measured, left_at)
    on conflict (book_id, volunteer_id, shift_book, shift_id) do update
    set left_at = excluded.left_at, departure_measured = excluded.departure_measured
    where t.left_at is null
"""


class Stay(NamedTuple):
    """Names the stay of one volunteer of a book in one shift."""

    volunteer: int
    shift_book: int
    shift: int


async def list_scan_facts(
    conn: AsyncConnection, *, book: int, issuing_account: int, stays: Sequence[Stay]
) -> dict[Stay, ScanFacts]:
    """Return the facts of each stay whose volunteer and shift exist.

    Cost: one statement.
    """
    driver = await driver_of(conn)
    named = dict.fromkeys(stays)
    rows = await driver.fetch(
        _FACTS,
        book,
        [stay.volunteer for stay in named],
        [stay.shift_book for stay in named],
        [stay.shift for stay in named],
    )
    return {
        Stay(row[0], row[2], row[3]): ScanFacts(
            book=book,
            volunteer=row[0],
            minutes_account=row[1],
            issuing_account=issuing_account,
            shift_book=row[2],
            shift=row[3],
            activity=row[4],
            field=row[5],
            place=row[6],
            starts_at=row[7],
            ends_at=row[8],
            is_cancelled=row[9],
            closed_at=row[10],
            is_signed_up=row[11],
            arrived_at=row[12],
            left_at=row[13],
            arrival_measured=row[14],
        )
        for row in rows
    }


async def record_stays(
    conn: AsyncConnection,
    *,
    book: int,
    stays: Sequence[ScanFacts],
    is_departure_measured: bool,
) -> None:
    """Record arrivals and departures: each stay once, as it is from now on.

    Departures are all measured by a code, or all set by an organizer.

    Cost: one statement.
    """
    driver = await driver_of(conn)
    await driver.execute(
        _RECORD,
        book,
        [stay.volunteer for stay in stays],
        [stay.shift_book for stay in stays],
        [stay.shift for stay in stays],
        [stay.arrived_at for stay in stays],
        [stay.arrival_measured for stay in stays],
        [stay.left_at for stay in stays],
        is_departure_measured,
    )
