"""Arrivals and departures, and the facts that decide a scan."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from timebank.db import Connection, Statement, array_text, driver_of
from timebank.domain.assurance import Assurance
from timebank.domain.attendance import ScanFacts
from timebank.domain.threshold import Threshold

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FACTS = """
    select v.id, v.minutes_account, named.shift_book, named.shift,
        h.activity_id, a.field, a.region, h.starts_at, h.ends_at,
        h.cancelled_at is not null or a.cancelled_at is not null, h.closed_at,
        s.signed_up_at is not null and s.withdrawn_at is null,
        t.arrived_at, t.left_at, coalesce(t.arrival_measured, false),
        case when t.confirmed_at is null then t.arrival_grade else 3 end,
        (
            select count(*) from retraction r
            where r.book_id = $1 and r.volunteer_id = v.id
                and r.shift_book = named.shift_book and r.shift_id = named.shift
                and r.left_at is not null
        ),
        others.since, others.until, others.minutes,
        (
            select c.value from threshold c
            where c.book_id = $1 and c.name = $5
                and c.from_on <= (h.starts_at at time zone $6)::date
            order by c.from_on desc, c.set_at desc limit 1
        ),
        a.risks
    from unnest($2::text::bigint[], $3::text::int[], $4::text::bigint[])
        as named(volunteer, shift_book, shift)
    cross join lateral (
        select id, minutes_account from volunteer
        where book_id = $1 and id = named.volunteer and ended_at is null limit 1
    ) v
    cross join lateral (
        select activity_id, starts_at, ends_at, cancelled_at, closed_at from shift
        where book_id = named.shift_book and id = named.shift limit 1
    ) h
    cross join lateral (
        select field, region, cancelled_at, risks from activity
        where book_id = named.shift_book and id = h.activity_id limit 1
    ) a
    left join lateral (
        select signed_up_at, withdrawn_at from signup
        where book_id = $1 and volunteer_id = named.volunteer
            and shift_book = named.shift_book and shift_id = named.shift
        limit 1
    ) s on true
    left join lateral (
        select arrived_at, left_at, arrival_measured, arrival_grade, confirmed_at from attendance
        where book_id = $1 and volunteer_id = named.volunteer
            and shift_book = named.shift_book and shift_id = named.shift
        limit 1
    ) t on true
    left join lateral (
        select array_agg(o.arrived_at) as since,
            array_agg(least(coalesce(o.left_at, x.ends_at), x.ends_at)) as until,
            sum(
                floor(extract(epoch from
                    least(o.left_at, x.ends_at) - greatest(o.arrived_at, x.starts_at)
                ) / 60)
            ) filter (
                where o.left_at is not null
                    and (greatest(o.arrived_at, x.starts_at) at time zone $6)::date
                        = (h.starts_at at time zone $6)::date
            )::bigint as minutes
        from attendance o
        join shift x on x.book_id = o.shift_book and x.id = o.shift_id
        where o.book_id = $1 and o.volunteer_id = v.id
            and o.arrived_at > h.starts_at - interval '1 day'
            and o.arrived_at < h.ends_at + interval '1 day'
            and (o.shift_book, o.shift_id) <> (named.shift_book, named.shift)
            and (o.left_at is not null or x.closed_at is null)
    ) others on true
"""
"""What a person did elsewhere is looked up by their own arrivals about that time: mostly none. A
stay that nobody ended and whose shift is closed was nowhere."""

_RECORD = """
    insert into attendance as t
        (book_id, volunteer_id, shift_book, shift_id, arrived_at, arrival_measured, arrival_grade,
            left_at, departure_measured, departure_grade)
    select $1, volunteer, shift_book, shift,
        timestamptz 'epoch' + arrived_at / 1000000 * interval '1 second'
            + arrived_at % 1000000 * interval '1 microsecond',
        arrival_measured, arrival_grade,
        timestamptz 'epoch' + left_at / 1000000 * interval '1 second'
            + left_at % 1000000 * interval '1 microsecond',
        case when left_at is not null then departure_measured end,
        case when left_at is not null then departure_grade end
    from unnest(
        $2::text::bigint[], $3::text::int[], $4::text::bigint[], $5::text::bigint[],
        $6::text::boolean[], $7::text::smallint[], $8::text::bigint[], $9::text::boolean[],
        $10::text::smallint[]
    ) as stay(volunteer, shift_book, shift, arrived_at, arrival_measured, arrival_grade, left_at,
        departure_measured, departure_grade)
    on conflict (book_id, volunteer_id, shift_book, shift_id) do update
    set left_at = excluded.left_at, departure_measured = excluded.departure_measured,
        departure_grade = excluded.departure_grade
    where t.left_at is null
"""
"""Instants are microseconds since 1970, in two parts that the server's floating numbers hold."""

_CONFIRM = """
    update attendance t set confirmed_at = $5, confirmed_by = $6
    from unnest($2::bigint[], $3::int[], $4::bigint[]) as stay(volunteer, shift_book, shift)
    where t.book_id = $1 and t.volunteer_id = stay.volunteer and t.shift_book = stay.shift_book
        and t.shift_id = stay.shift and t.confirmed_at is null
"""


class Stay(NamedTuple):
    """Names the stay of one volunteer of a book in one shift."""

    volunteer: int
    shift_book: int
    shift: int


async def list_scan_facts(
    conn: Connection, *, book: int, issuing_account: int, stays: Sequence[Stay], zone: str
) -> dict[Stay, ScanFacts]:
    """Return the facts of each stay whose volunteer and shift exist; days are those of a zone.

    Cost: one statement.
    """
    driver = await driver_of(conn)
    named = dict.fromkeys(stays)
    if not named:
        return {}
    rows = await driver.fetch(
        _FACTS,
        book,
        *map(array_text, zip(*named, strict=True)),
        Threshold.CREDIT_DAY_MINUTES.value,
        zone,
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
            arrival_grade=Assurance(row[15] or 0),
            retracted=row[16],
            elsewhere=tuple(zip(row[17] or (), row[18] or (), strict=True)),
            day_minutes=row[19] or 0,
            day_minutes_max=row[20],
            risks=row[21],
        )
        for row in rows
    }


def recording(*, book: int, stays: Sequence[ScanFacts]) -> Statement:
    """Return what records arrivals and departures: each stay once, as it is from now on."""
    return Statement(
        _RECORD,
        (
            book,
            array_text([stay.volunteer for stay in stays]),
            array_text([stay.shift_book for stay in stays]),
            array_text([stay.shift for stay in stays]),
            array_text([_microseconds(stay.arrived_at) for stay in stays]),
            array_text([stay.arrival_measured for stay in stays]),
            array_text([stay.arrival_grade for stay in stays]),
            array_text([_microseconds(stay.left_at) for stay in stays]),
            array_text([stay.departure_measured for stay in stays]),
            array_text([stay.departure_grade for stay in stays]),
        ),
    )


def _microseconds(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // timedelta(microseconds=1)


async def record_stays(conn: Connection, *, book: int, stays: Sequence[ScanFacts]) -> None:
    """Record arrivals and departures. Cost: one statement."""
    driver = await driver_of(conn)
    statement = recording(book=book, stays=stays)
    await driver.execute(statement.sql, *statement.arguments)


async def set_confirmed(
    conn: Connection, *, book: int, stays: Sequence[Stay], by: UUID, at: datetime
) -> None:
    """Record that an organizer saw people there; who was seen before stays so since then.

    Cost: one statement.
    """
    driver = await driver_of(conn)
    await driver.execute(
        _CONFIRM,
        book,
        [stay.volunteer for stay in stays],
        [stay.shift_book for stay in stays],
        [stay.shift for stay in stays],
        at,
        by,
    )
