"""An organizer's own activities and shifts, and who signed up, came and left.

Every query takes the organizations of whoever asks; what belongs to others is not there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.activity import PLACES_MAX, Forgotten
from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.attendance import stay_key
from timebank.domain.period import Period
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.domain.working_day import RECORD_SPAN_MIN
from timebank.ledger import tables as ledger
from timebank.queries.place import is_place, is_town, place, town
from timebank.store import tables as store


@dataclass(frozen=True, slots=True)
class OrganizedActivity:
    """An activity of one's own organization.

    Attributes:
        shifts: How many it has.
        next_at: When the next one starts that is not called off; None where none does.
    """

    book: int
    activity: int
    title: str
    field: ServiceField
    content: str
    address: str
    region: int
    in_charge: str
    organization_id: OrganizationId
    organization: str
    place: str | None
    town: str | None
    cancelled_at: datetime | None
    shifts: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrganizedShift:
    """A shift of one's own organization, with its counts.

    Attributes:
        cancelled_at: Of the shift or its activity; None while it goes on.
        signed_up: Places held.
        arrived: People who came, those who left included.
        left: People who came and left.
    """

    shift_book: int
    shift: int
    activity: int
    title: str
    field: ServiceField
    address: str
    place: str | None
    town: str | None
    organization_id: OrganizationId
    organization: str
    starts_at: datetime
    ends_at: datetime
    places: int
    cancelled_at: datetime | None
    closed_at: datetime | None
    forgotten: Forgotten
    signed_up: int
    arrived: int
    left: int

    @property
    def present(self) -> int:
        """People who came and have no departure: once it is over, the exceptions to settle."""
        return self.arrived - self.left


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who signed up.

    Attributes:
        person: None after erasure; whoever organizes may not settle their own hours.
        name_sealed: For `Seal.open`, to be shown masked; None where no name is known.
        withdrawn_at: When they gave their place back; None while they hold it.
        arrived_at: None before the arrival.
        left_at: None before the departure.
        confirmed_at: When an organizer saw them there; None where none did.
        minutes: Credited for the stay, less what was taken back; None before the departure.
        evidence: None where nothing is credited.
    """

    volunteer: VolunteerId
    person: UUID | None
    name_sealed: bytes | None
    signed_up_at: datetime
    withdrawn_at: datetime | None
    arrived_at: datetime | None
    arrival_measured: bool | None
    left_at: datetime | None
    departure_measured: bool | None
    confirmed_at: datetime | None
    minutes: int | None
    evidence: Evidence | None

    @property
    def is_present(self) -> bool:
        """Whether they came and have no departure."""
        return self.arrived_at is not None and self.left_at is None


@dataclass(frozen=True, slots=True)
class LatestScan:
    """An arrival or departure, for the page with the code."""

    volunteer: VolunteerId
    name_sealed: bytes | None
    at: datetime
    is_arrival: bool


async def list_day_shifts(
    conn: AsyncConnection, *, organizations: Sequence[OrganizationId], period: Period
) -> list[OrganizedShift]:
    """Return the shifts that touch a period, by start. Cost: one statement."""
    h = store.shift.c
    return await _list_shifts(
        conn,
        _shifts(_is_of(organizations))
        .where(h.starts_at < period.end, h.ends_at > period.start)
        .order_by(h.starts_at, h.id),
    )


async def list_next_shifts(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    after: datetime,
    limit: int = 5,
) -> list[OrganizedShift]:
    """Return the shifts that start after an instant and go on, by start. Cost: one statement."""
    h, a = store.shift.c, store.activity.c
    return await _list_shifts(
        conn,
        _shifts(_is_of(organizations))
        .where(h.starts_at > after, h.cancelled_at.is_(None), a.cancelled_at.is_(None))
        .order_by(h.starts_at, h.id)
        .limit(limit),
    )


async def list_unclosed_shifts(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    now: datetime,
    limit: int = 50,
) -> list[OrganizedShift]:
    """Return the shifts that are over and wait to be closed, longest first. Cost: one statement."""
    h, a = store.shift.c, store.activity.c
    return await _list_shifts(
        conn,
        _shifts(_is_of(organizations))
        .where(
            h.ends_at <= now,
            h.closed_at.is_(None),
            h.cancelled_at.is_(None),
            a.cancelled_at.is_(None),
        )
        .order_by(h.ends_at, h.id)
        .limit(limit),
    )


async def list_late_shifts(
    conn: AsyncConnection, *, scope: Scope, now: datetime, limit: int = 50
) -> list[OrganizedShift]:
    """Return the shifts in a division that may be late: over for ten days and not closed.

    Which of them are late indeed, the calendar says.

    Shape: longest first. Cost: one statement.
    """
    h, a = store.shift.c, store.activity.c
    codes = scope.codes
    return await _list_shifts(
        conn,
        _shifts(
            and_(
                h.book_id.between(county_of(codes.start), county_of(codes.stop - 1)),
                a.region.between(codes.start, codes.stop - 1),
            )
        )
        .where(
            h.ends_at <= now - RECORD_SPAN_MIN,
            h.closed_at.is_(None),
            h.cancelled_at.is_(None),
            a.cancelled_at.is_(None),
        )
        .order_by(h.ends_at, h.id)
        .limit(limit),
    )


async def list_activity_shifts(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    book: int,
    activity: int,
    limit: int = 500,
) -> list[OrganizedShift]:
    """Return the shifts of one activity, newest first. Cost: one statement."""
    h = store.shift.c
    return await _list_shifts(
        conn,
        _shifts(_is_of(organizations))
        .where(h.book_id == book, h.activity_id == activity)
        .order_by(h.starts_at.desc(), h.id.desc())
        .limit(limit),
    )


async def find_shift(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    shift_book: int,
    shift: int,
) -> OrganizedShift | None:
    """Return one shift, or None where it is not there for these organizations."""
    h = store.shift.c
    found = await _list_shifts(
        conn, _shifts(_is_of(organizations)).where(h.book_id == shift_book, h.id == shift)
    )
    return found[0] if found else None


async def list_activities(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    now: datetime,
    limit: int = 100,
) -> list[OrganizedActivity]:
    """Return the activities that go on, newest first. Cost: one statement."""
    a = store.activity.c
    rows = await conn.execute(
        _activities(organizations, now)
        .where(a.cancelled_at.is_(None))
        .order_by(a.created_at.desc(), a.id.desc())
        .limit(limit)
    )
    return [_activity(row) for row in rows]


async def find_activity(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    book: int,
    activity: int,
    now: datetime,
) -> OrganizedActivity | None:
    """Return one activity, or None where it is not there for these organizations."""
    a = store.activity.c
    row = (
        await conn.execute(
            _activities(organizations, now).where(a.book_id == book, a.id == activity)
        )
    ).first()
    return None if row is None else _activity(row)


async def list_attendees(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    shift_book: int,
    shift: int,
) -> list[Attendee]:
    """Return who ever signed up for a shift.

    Shape: in the order of signing up; empty where the shift is not there for these organizations.

    Cost: one statement, and one per book of the volunteers who left.
    """
    s, t, v, p = store.signup, store.attendance, store.volunteer, store.person
    h, a, r = store.shift, store.activity, store.retraction
    retracted = (
        select(func.count())
        .select_from(r)
        .where(
            r.c.book_id == s.c.book_id,
            r.c.volunteer_id == s.c.volunteer_id,
            r.c.shift_book == s.c.shift_book,
            r.c.shift_id == s.c.shift_id,
            r.c.left_at.is_not(None),
        )
        .scalar_subquery()
    )
    rows = (
        await conn.execute(
            select(
                s.c.book_id,
                s.c.volunteer_id,
                v.c.person_id,
                p.c.name_sealed,
                s.c.signed_up_at,
                s.c.withdrawn_at,
                t.c.arrived_at,
                t.c.arrival_measured,
                t.c.left_at,
                t.c.departure_measured,
                t.c.confirmed_at,
                h.c.starts_at,
                retracted.label("retracted"),
            )
            .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
            .join(s, and_(s.c.shift_book == h.c.book_id, s.c.shift_id == h.c.id))
            .outerjoin(v, and_(v.c.book_id == s.c.book_id, v.c.id == s.c.volunteer_id))
            .outerjoin(p, p.c.id == v.c.person_id)
            .outerjoin(
                t,
                and_(
                    t.c.book_id == s.c.book_id,
                    t.c.volunteer_id == s.c.volunteer_id,
                    t.c.shift_book == s.c.shift_book,
                    t.c.shift_id == s.c.shift_id,
                ),
            )
            .where(h.c.book_id == shift_book, h.c.id == shift, _is_of(organizations))
            .order_by(s.c.signed_up_at, s.c.book_id, s.c.volunteer_id)
            .limit(2 * PLACES_MAX)
        )
    ).all()
    keys = {
        VolunteerId(row.book_id, row.volunteer_id): stay_key(
            starts_at=row.starts_at,
            book=row.book_id,
            volunteer=row.volunteer_id,
            shift_book=shift_book,
            shift=shift,
            retracted=row.retracted,
        )
        for row in rows
        if row.left_at is not None
    }
    credited = await _credited(conn, keys)
    nothing = (None, None)
    return [
        Attendee(
            VolunteerId(row[0], row[1]),
            *row[2:11],
            *credited.get(VolunteerId(row[0], row[1]), nothing),
        )
        for row in rows
    ]


async def list_latest_scans(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    shift_book: int,
    shift: int,
    limit: int = 5,
) -> list[LatestScan]:
    """Return the newest arrivals and departures of a shift, newest first. Cost: one statement."""
    t, v, p = store.attendance, store.volunteer, store.person
    h, a = store.shift, store.activity

    def scans(at: ColumnElement[Any], is_arrival: bool) -> Select[Any]:
        return (
            select(
                v.c.book_id,
                v.c.id,
                p.c.name_sealed,
                at.label("at"),
                literal(is_arrival).label("is_arrival"),
            )
            .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
            .join(t, and_(t.c.shift_book == h.c.book_id, t.c.shift_id == h.c.id))
            .join(v, and_(v.c.book_id == t.c.book_id, v.c.id == t.c.volunteer_id))
            .outerjoin(p, p.c.id == v.c.person_id)
            .where(h.c.book_id == shift_book, h.c.id == shift, _is_of(organizations))
            .where(at.is_not(None))
        )

    both = union_all(scans(t.c.arrived_at, True), scans(t.c.left_at, False)).subquery()
    rows = await conn.execute(
        select(both).order_by(both.c.at.desc(), both.c.is_arrival).limit(limit)
    )
    return [LatestScan(VolunteerId(book, number), *rest) for book, number, *rest in rows]


def _is_of(organizations: Sequence[OrganizationId]) -> ColumnElement[bool]:
    a = store.activity.c
    return tuple_(a.book_id, a.organization_id).in_(
        [(each.book, each.id) for each in organizations]
    )


def _shifts(whose: ColumnElement[bool]) -> Select[Any]:
    h, a, o = store.shift, store.activity, store.organization
    s, t = store.signup, store.attendance
    here = and_(t.c.shift_book == h.c.book_id, t.c.shift_id == h.c.id)
    signed_up = (
        select(func.count())
        .select_from(s)
        .where(s.c.shift_book == h.c.book_id, s.c.shift_id == h.c.id, s.c.withdrawn_at.is_(None))
        .scalar_subquery()
    )
    came = (
        select(func.count().label("arrived"), func.count(t.c.left_at).label("left"))
        .where(here)
        .correlate(h)
        .lateral("came")
    )
    return (
        select(
            h.c.book_id.label("shift_book"),
            h.c.id.label("shift"),
            a.c.id.label("activity"),
            a.c.title,
            a.c.field,
            a.c.address,
            place.c.name.label("place"),
            town.c.name.label("town"),
            a.c.organization_id,
            o.c.name.label("organization"),
            h.c.starts_at,
            h.c.ends_at,
            h.c.places,
            func.coalesce(h.c.cancelled_at, a.c.cancelled_at).label("cancelled_at"),
            h.c.closed_at,
            a.c.forgotten,
            signed_up.label("signed_up"),
            came.c.arrived,
            came.c.left,
        )
        .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .join(o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(place, is_place(a.c.region))
        .outerjoin(town, is_town(a.c.region))
        .join(came, literal(True))
        .where(whose, a.c.is_listed)
    )


async def _list_shifts(conn: AsyncConnection, query: Select[Any]) -> list[OrganizedShift]:
    return [
        OrganizedShift(
            **row._asdict()
            | {
                "field": ServiceField(row.field),
                "forgotten": Forgotten(row.forgotten),
                "organization_id": OrganizationId(row.shift_book, row.organization_id),
            }
        )
        for row in await conn.execute(query)
    ]


def _activities(organizations: Sequence[OrganizationId], now: datetime) -> Select[Any]:
    h, a, o = store.shift, store.activity, store.organization
    here = and_(h.c.book_id == a.c.book_id, h.c.activity_id == a.c.id)
    own = (
        select(
            func.count().label("shifts"),
            func.min(h.c.starts_at)
            .filter(h.c.starts_at > now, h.c.cancelled_at.is_(None))
            .label("next_at"),
        )
        .where(here)
        .correlate(a)
        .lateral("own")
    )
    return (
        select(
            a.c.book_id.label("book"),
            a.c.id.label("activity"),
            a.c.title,
            a.c.field,
            a.c.content,
            a.c.address,
            a.c.region,
            a.c.in_charge,
            a.c.organization_id,
            o.c.name.label("organization"),
            place.c.name.label("place"),
            town.c.name.label("town"),
            a.c.cancelled_at,
            own.c.shifts,
            own.c.next_at,
        )
        .join_from(a, o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(place, is_place(a.c.region))
        .outerjoin(town, is_town(a.c.region))
        .join(own, literal(True))
        .where(_is_of(organizations), a.c.is_listed)
    )


def _activity(row: Row[Any]) -> OrganizedActivity:
    return OrganizedActivity(
        **row._asdict()
        | {
            "field": ServiceField(row.field),
            "organization_id": OrganizationId(row.book, row.organization_id),
        }
    )


async def _credited(
    conn: AsyncConnection, keys: dict[VolunteerId, UUID]
) -> dict[VolunteerId, tuple[int, Evidence]]:
    """Return minutes and evidence of each stay whose credit is in its volunteer's book."""
    t = ledger.transfer
    taken_back = t.alias("taken_back")
    by_book: dict[int, dict[UUID, VolunteerId]] = defaultdict(dict)
    for volunteer, key in keys.items():
        by_book[volunteer.book][key] = volunteer
    found: dict[VolunteerId, tuple[int, Evidence]] = {}
    for book, volunteers in by_book.items():
        rows = await conn.execute(
            select(t.c.key, t.c.amount, t.c.assurance, t.c.measured, taken_back.c.seq.is_not(None))
            .select_from(t)
            .outerjoin(
                taken_back,
                and_(taken_back.c.book_id == t.c.book_id, taken_back.c.reverses == t.c.seq),
            )
            .where(t.c.book_id == book, t.c.key.in_(list(volunteers)))
        )
        for key, amount, assurance, measured, is_reversed in rows:
            evidence = evidence_of(Assurance(assurance), Measured(measured))
            found[volunteers[key]] = (0 if is_reversed else amount, evidence)
    return found
