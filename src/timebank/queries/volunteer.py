"""A volunteer's own hours, shifts and service records."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, and_, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.period import Period
from timebank.domain.service_field import ServiceField
from timebank.ledger import tables as ledger
from timebank.queries.place import is_place, is_town, place, town
from timebank.store import tables as store

RECORDS_MAX = 2_000
"""More services than anybody's year holds."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the head of every own page shows.

    Attributes:
        name_sealed: For `Seal.open`; None after erasure or where no name is known.
        zone: IANA name of the zone whose days and months the book counts.
        home: Code of the village on that day; None before the first residence.
        village: Its name.
        town: The name of its town.
    """

    name_sealed: bytes | None
    enrolled_at: datetime
    zone: str
    home: int | None
    village: str | None
    town: str | None


@dataclass(frozen=True, slots=True)
class OwnHours:
    """Served time, less what was taken back.

    Units: minutes; services are counted.
    """

    scanned: int
    confirmed: int
    declared: int
    services: int
    lifetime: int
    lifetime_services: int

    @property
    def year(self) -> int:
        """Minutes of the year by every evidence."""
        return self.scanned + self.confirmed + self.declared


@dataclass(frozen=True, slots=True)
class OwnShift:
    """A shift in which the volunteer holds a place.

    Attributes:
        field: The service field.
        is_cancelled: The shift or its activity was called off.
        arrived_at: None before the arrival.
        left_at: None before the departure.
    """

    shift_book: int
    shift: int
    activity: int
    title: str
    field: ServiceField
    organization: str
    address: str
    place: str | None
    town: str | None
    starts_at: datetime
    ends_at: datetime
    is_cancelled: bool
    closed_at: datetime | None
    arrived_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """One service entry of the ledger with what it was.

    Attributes:
        minutes: Below zero on an entry that takes another one back.
        reverses: The entry taken back by this one, or None.
        reversed_by: The entry that takes this one back, or None.
        reason: Why, on both of them and on what stands instead.
        evidence_note: What proves a correction, on all three; None for a plain reversal.
        replaces: The entry in whose place this one stands, or None.
        title: And what else is told of the activity: None where the book does not know it.
        shift_starts_at: And what else is told of the stay: None for imported history.
        arrival_measured: By a code; else set by the organizer.
        forgotten: What the activity says of a forgotten departure.
    """

    seq: int
    effective_at: datetime
    recorded_at: datetime
    minutes: int
    assurance: Assurance
    measured: Measured
    reverses: int | None
    reversed_by: int | None
    reason: str | None
    evidence_note: str | None
    replaces: int | None
    field: ServiceField
    place: str | None
    town: str | None
    activity_book: int | None
    activity: int | None
    title: str | None
    organization: str | None
    in_charge: str | None
    address: str | None
    shift_starts_at: datetime | None
    shift_ends_at: datetime | None
    arrived_at: datetime | None
    arrival_measured: bool | None
    left_at: datetime | None
    departure_measured: bool | None
    forgotten: str | None

    @property
    def evidence(self) -> Evidence:
        """The class in which the record is shown."""
        return evidence_of(self.assurance, self.measured)


async def find_profile(
    conn: AsyncConnection, *, volunteer: VolunteerId, on: date
) -> Profile | None:
    """Return who a volunteer is and where they live on a day, or None.

    Cost: one statement.
    """
    v, p, b, r = store.volunteer, store.person, ledger.book, store.residence
    home = (
        select(r.c.region)
        .where(r.c.book_id == volunteer.book, r.c.volunteer_id == volunteer.id, r.c.from_on <= on)
        .order_by(r.c.from_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = (
        await conn.execute(
            select(p.c.name_sealed, v.c.enrolled_at, b.c.zone, home, place.c.name, town.c.name)
            .select_from(v)
            .join(b, b.c.id == v.c.book_id)
            .outerjoin(p, p.c.id == v.c.person_id)
            .outerjoin(place, is_place(home))
            .outerjoin(town, is_town(home))
            .where(v.c.book_id == volunteer.book, v.c.id == volunteer.id)
        )
    ).first()
    return None if row is None else Profile(*row)


async def list_counties_open(
    conn: AsyncConnection, *, volunteer: VolunteerId
) -> list[tuple[int, str]]:
    """Return number and name of each county that has a book, the volunteer's own first.

    Cost: one statement.
    """
    b, r = ledger.book.c, store.region.c
    rows = await conn.execute(
        select(b.id, r.name)
        .join_from(ledger.book, store.region, r.code == cast(b.id, BigInteger) * 1_000_000)
        .order_by(b.id != volunteer.book, b.id)
    )
    return [(row[0], row[1]) for row in rows]


async def own_hours(conn: AsyncConnection, *, volunteer: VolunteerId, year: int) -> OwnHours:
    """Return a volunteer's minutes in a year by evidence, and in all.

    What was brought from another county counts in all, not in the year.

    Cost: one statement over the roll-up.
    """
    o = ledger.opening_month.c

    def brought(column: ColumnElement[int]) -> ScalarSelect[int]:
        return (
            select(func.coalesce(func.sum(column), 0))
            .where(
                o.book_id == volunteer.book,
                o.volunteer == volunteer.id,
                o.served_book != o.book_id,
            )
            .scalar_subquery()
        )

    m = ledger.volunteer_month.c
    in_year = m.month.between(year * 100 + 1, year * 100 + 12)
    is_declared = m.assurance == Assurance.A0.value
    is_scanned = and_(~is_declared, m.measured == Measured.BOTH.value)
    is_confirmed = and_(~is_declared, m.measured != Measured.BOTH.value)
    row = (
        await conn.execute(
            select(
                *(
                    func.coalesce(func.sum(m.minutes).filter(in_year, is_class), 0)
                    for is_class in (is_scanned, is_confirmed, is_declared)
                ),
                func.coalesce(func.sum(m.services).filter(in_year), 0),
                func.coalesce(func.sum(m.minutes), 0) + brought(o.minutes),
                func.coalesce(func.sum(m.services), 0) + brought(o.services),
            ).where(m.book_id == volunteer.book, m.volunteer == volunteer.id)
        )
    ).one()
    return OwnHours(*(int(value) for value in row))


async def list_own_years(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[int]:
    """Return the years in which a volunteer served, newest first."""
    m = ledger.volunteer_month.c
    months = await conn.execute(
        select(m.month)
        .where(m.book_id == volunteer.book, m.volunteer == volunteer.id)
        .distinct()
        .order_by(m.month.desc())
    )
    return list(dict.fromkeys(month // 100 for month in months.scalars()))


async def list_own_shifts(
    conn: AsyncConnection, *, volunteer: VolunteerId, since: datetime, limit: int = 100
) -> list[OwnShift]:
    """Return the shifts in which a volunteer holds a place and that end after `since`.

    Shape: by start; `since` is the start of today for today's and later ones.

    Cost: one statement.
    """
    s, h, a, o, t = (
        store.signup,
        store.shift,
        store.activity,
        store.organization,
        store.attendance,
    )
    rows = await conn.execute(
        select(
            h.c.book_id.label("shift_book"),
            h.c.id.label("shift"),
            a.c.id.label("activity"),
            a.c.title,
            a.c.field,
            o.c.name.label("organization"),
            a.c.address,
            place.c.name.label("place"),
            town.c.name.label("town"),
            h.c.starts_at,
            h.c.ends_at,
            or_(h.c.cancelled_at.is_not(None), a.c.cancelled_at.is_not(None)).label("is_cancelled"),
            h.c.closed_at,
            t.c.arrived_at,
            t.c.left_at,
        )
        .join_from(s, h, and_(h.c.book_id == s.c.shift_book, h.c.id == s.c.shift_id))
        .join(a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .join(o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(place, is_place(a.c.region))
        .outerjoin(town, is_town(a.c.region))
        .outerjoin(
            t,
            and_(
                t.c.book_id == s.c.book_id,
                t.c.volunteer_id == s.c.volunteer_id,
                t.c.shift_book == s.c.shift_book,
                t.c.shift_id == s.c.shift_id,
            ),
        )
        .where(
            s.c.book_id == volunteer.book,
            s.c.volunteer_id == volunteer.id,
            s.c.withdrawn_at.is_(None),
            h.c.ends_at > since,
        )
        .order_by(h.c.starts_at, h.c.book_id, h.c.id)
        .limit(limit)
    )
    return [OwnShift(**row._asdict() | {"field": ServiceField(row.field)}) for row in rows]


async def find_own_record(
    conn: AsyncConnection, *, volunteer: VolunteerId, seq: int
) -> Record | None:
    """Return one service entry of a volunteer, or None.

    Cost: one statement; its work grows with the volunteer's own entries.
    """
    found = await list_own_records(conn, volunteer=volunteer, seq=seq)
    return found[0] if found else None


async def list_own_records(
    conn: AsyncConnection,
    *,
    volunteer: VolunteerId,
    period: Period | None = None,
    seq: int | None = None,
    limit: int = RECORDS_MAX,
) -> list[Record]:
    """Return a volunteer's service entries that lie in a period, have a number, or all.

    Shape: newest service first; a reversal right before the entry that it takes back.

    Cost: one statement; its work grows with the volunteer's own entries.
    """
    v, s, b, t = store.volunteer, ledger.account_state, ledger.batch, ledger.transfer
    taken_back, reason = t.alias("taken_back"), ledger.reversal_reason
    instead, replaced = reason.alias("instead"), t.alias("replaced")
    a, o, h, stay = store.activity, store.organization, store.shift, store.attendance
    within = func.unnest(s.c.places).column_valued("within", joins_implicitly=True)
    entries = (
        select((b.c.first_seq + within).label("seq"))
        .select_from(s)
        .join(v, and_(v.c.book_id == s.c.book_id, v.c.minutes_account == s.c.account))
        .join(b, and_(b.c.book_id == s.c.book_id, b.c.batch == s.c.batch))
        .where(
            s.c.book_id == volunteer.book,
            v.c.book_id == volunteer.book,
            v.c.id == volunteer.id,
        )
        .subquery("entries")
    )
    query = (
        select(
            t.c.seq,
            t.c.effective_at,
            t.c.recorded_at,
            case((t.c.reverses.is_(None), t.c.amount), else_=-t.c.amount).label("minutes"),
            t.c.assurance,
            t.c.measured,
            t.c.reverses,
            taken_back.c.seq.label("reversed_by"),
            func.coalesce(reason.c.reason, instead.c.reason).label("reason"),
            func.coalesce(reason.c.evidence, instead.c.evidence).label("evidence_note"),
            replaced.c.reverses.label("replaces"),
            t.c.field,
            place.c.name.label("place"),
            town.c.name.label("town"),
            t.c.activity_book,
            t.c.activity,
            a.c.title,
            o.c.name.label("organization"),
            a.c.in_charge,
            a.c.address,
            h.c.starts_at.label("shift_starts_at"),
            h.c.ends_at.label("shift_ends_at"),
            stay.c.arrived_at,
            stay.c.arrival_measured,
            stay.c.left_at,
            stay.c.departure_measured,
            a.c.forgotten,
        )
        .select_from(entries)
        .join(t, and_(t.c.book_id == volunteer.book, t.c.seq == entries.c.seq))
        .outerjoin(
            taken_back,
            and_(taken_back.c.book_id == t.c.book_id, taken_back.c.reverses == t.c.seq),
        )
        .outerjoin(
            reason,
            and_(
                reason.c.book_id == t.c.book_id,
                reason.c.seq == case((t.c.reverses.is_(None), taken_back.c.seq), else_=t.c.seq),
            ),
        )
        .outerjoin(
            instead,
            and_(instead.c.book_id == t.c.book_id, instead.c.replacement == t.c.seq),
        )
        .outerjoin(
            replaced,
            and_(replaced.c.book_id == instead.c.book_id, replaced.c.seq == instead.c.seq),
        )
        .outerjoin(a, and_(a.c.book_id == t.c.activity_book, a.c.id == t.c.activity))
        .outerjoin(o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(h, and_(h.c.book_id == t.c.activity_book, h.c.id == t.c.shift))
        .outerjoin(
            stay,
            and_(
                stay.c.book_id == t.c.book_id,
                stay.c.volunteer_id == t.c.volunteer,
                stay.c.shift_book == t.c.activity_book,
                stay.c.shift_id == t.c.shift,
            ),
        )
        .outerjoin(place, is_place(t.c.place))
        .outerjoin(town, is_town(t.c.place))
        .where(t.c.assurance.is_not(None))
        .order_by(t.c.effective_at.desc(), t.c.seq.desc())
        .limit(limit)
    )
    if period is not None:
        query = query.where(t.c.effective_at >= period.start, t.c.effective_at < period.end)
    if seq is not None:
        query = query.where(t.c.seq == seq)
    return [
        Record(
            **row._asdict()
            | {
                "assurance": Assurance(row.assurance),
                "measured": Measured(row.measured),
                "field": ServiceField(row.field),
            }
        )
        for row in await conn.execute(query)
    ]
