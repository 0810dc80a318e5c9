"""What one can do: the shifts that are to come, and one activity with all of its shifts."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    Table,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import LateralFromClause

from timebank.domain.activity import SPAN_MAX, Forgotten
from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.clearance import Risk
from timebank.domain.period import Period
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.queries.place import is_place, is_town, place, town
from timebank.store import tables as store

_NOBODY = VolunteerId(0, 0)
"""Whose signups a visitor without a record sees: there are none."""


@dataclass(frozen=True, slots=True)
class UpcomingShift:
    """A shift that one may still join.

    Attributes:
        taken: Places held.
        is_signed_up: The volunteer who asks holds one of them.
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
    places: int
    taken: int
    is_signed_up: bool

    @property
    def places_left(self) -> int:
        """How many more can sign up."""
        return max(self.places - self.taken, 0)

    @property
    def cursor(self) -> tuple[datetime, int, int]:
        """Where the next page begins."""
        return self.starts_at, self.shift_book, self.shift


@dataclass(frozen=True, slots=True)
class ActivityShift:
    """One shift of an activity, as the volunteer who asks stands to it.

    Attributes:
        is_cancelled: The shift or its activity was called off.
        is_signed_up: The volunteer holds a place.
        arrived_at: The volunteer's arrival, or None.
        left_at: The volunteer's departure, or None.
        missed_at: When the shift was closed without the volunteer having come, or None.
        waiting: How many wait for a place.
        waiting_place: The volunteer's place among them, 1 for who is next; None for who is not.
    """

    shift: int
    starts_at: datetime
    ends_at: datetime
    places: int
    taken: int
    is_cancelled: bool
    closed_at: datetime | None
    is_signed_up: bool
    arrived_at: datetime | None
    left_at: datetime | None
    missed_at: datetime | None
    waiting: int
    waiting_place: int | None

    @property
    def places_left(self) -> int:
        """How many more can sign up."""
        return max(self.places - self.taken, 0)


@dataclass(frozen=True, slots=True)
class ActivityDetail:
    """An activity in public words.

    Attributes:
        content: What volunteers do, in paragraphs.
        region: Code of the division where it is done.
        shifts: All of them, by start.
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
    forgotten: Forgotten
    risks: Risk
    shifts: tuple[ActivityShift, ...]


async def list_upcoming(
    conn: AsyncConnection,
    *,
    scope: Scope,
    volunteer: VolunteerId | None,
    now: datetime,
    field: ServiceField | None = None,
    period: Period | None = None,
    after: tuple[datetime, int, int] | None = None,
    limit: int = 50,
) -> list[UpcomingShift]:
    """Return the shifts in a division that are not over, called off or closed.

    A town is asked for by the narrowed scope, a day by the period in which the shift starts.

    Shape: by start, at most `limit`, after the last page's `cursor`.

    Cost: one statement.
    """
    s, h, a, o = store.signup, store.shift, store.activity, store.organization
    query = (
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
            h.c.places,
            _taken().label("taken"),
            select(1).where(*_own(s, volunteer or _NOBODY)).exists().label("is_signed_up"),
        )
        .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .join(o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(place, is_place(a.c.region))
        .outerjoin(town, is_town(a.c.region))
        .where(*_upcoming(scope, now, field))
        .order_by(h.c.starts_at, h.c.book_id, h.c.id)
        .limit(limit)
    )
    if period is not None:
        query = query.where(h.c.starts_at >= period.start, h.c.starts_at < period.end)
    if after is not None:
        query = query.where(tuple_(h.c.starts_at, h.c.book_id, h.c.id) > tuple_(*after))
    return [
        UpcomingShift(**row._asdict() | {"field": ServiceField(row.field)})
        for row in await conn.execute(query)
    ]


async def count_upcoming(
    conn: AsyncConnection,
    *,
    scope: Scope,
    zone: ZoneInfo,
    now: datetime,
    until: datetime,
    field: ServiceField | None = None,
) -> dict[date, int]:
    """Return how many such shifts start on each local day before `until`.

    Shape: one item per day that has any, in order.

    Cost: one statement.
    """
    h, a = store.shift, store.activity
    day = cast(func.timezone(zone.key, h.c.starts_at), Date)
    rows = await conn.execute(
        select(day, func.count())
        .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .where(*_upcoming(scope, now, field), h.c.starts_at < until)
        .group_by(day)
        .order_by(day)
    )
    return {each: count for each, count in rows}  # noqa: C416 rows are not pairs to mypy


async def find_activity(
    conn: AsyncConnection, *, volunteer: VolunteerId | None, book: int, activity: int
) -> ActivityDetail | None:
    """Return an activity with all of its shifts, or None where it does not exist or is not listed.

    Cost: two statements.
    """
    h, a, o = store.shift, store.activity, store.organization
    row = (
        await conn.execute(
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
                a.c.forgotten,
                a.c.risks,
            )
            .join_from(a, o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
            .outerjoin(place, is_place(a.c.region))
            .outerjoin(town, is_town(a.c.region))
            .where(a.c.book_id == book, a.c.id == activity, a.c.is_listed)
        )
    ).first()
    if row is None:
        return None
    s, t = store.signup, store.attendance
    own = volunteer or _NOBODY
    queue = _queue(own)
    shifts = await conn.execute(
        select(
            h.c.id.label("shift"),
            h.c.starts_at,
            h.c.ends_at,
            h.c.places,
            _taken().label("taken"),
            or_(h.c.cancelled_at.is_not(None), literal(row.cancelled_at is not None)).label(
                "is_cancelled"
            ),
            h.c.closed_at,
            s.c.signed_up_at.is_not(None).label("is_signed_up"),
            t.c.arrived_at,
            t.c.left_at,
            s.c.missed_at,
            queue.c.waiting,
            queue.c.waiting_place,
        )
        .select_from(h)
        .join(queue, literal(True))
        .outerjoin(s, and_(*_own(s, own)))
        .outerjoin(
            t,
            and_(
                t.c.book_id == own.book,
                t.c.volunteer_id == own.id,
                t.c.shift_book == h.c.book_id,
                t.c.shift_id == h.c.id,
            ),
        )
        .where(h.c.book_id == book, h.c.activity_id == activity)
        .order_by(h.c.starts_at, h.c.id)
    )
    return ActivityDetail(
        **row._asdict()
        | {
            "field": ServiceField(row.field),
            "forgotten": Forgotten(row.forgotten),
            "risks": Risk(row.risks),
            "organization_id": OrganizationId(book, row.organization_id),
            "shifts": tuple(ActivityShift(**each._asdict()) for each in shifts),
        }
    )


def _upcoming(scope: Scope, now: datetime, field: ServiceField | None) -> list[ColumnElement[bool]]:
    h, a = store.shift.c, store.activity.c
    codes = scope.codes
    conditions = [
        h.book_id.between(county_of(codes.start), county_of(codes.stop - 1)),
        a.region.between(codes.start, codes.stop - 1),
        h.ends_at > now,
        # Follows from the line above, and is what the index on the start can answer.
        h.starts_at > now - SPAN_MAX,
        h.cancelled_at.is_(None),
        h.closed_at.is_(None),
        a.cancelled_at.is_(None),
        a.is_listed,
    ]
    if field is not None:
        conditions.append(a.field == field.value)
    return conditions


def _queue(own: VolunteerId) -> LateralFromClause:
    """How many wait for a place in the `shift` of the query around it, and which place is one's."""
    h, w = store.shift, store.waiting_place
    mine = w.alias("mine")
    is_mine = and_(
        mine.c.book_id == own.book,
        mine.c.volunteer_id == own.id,
        mine.c.shift_book == w.c.shift_book,
        mine.c.shift_id == w.c.shift_id,
        mine.c.ended_at.is_(None),
    )
    up_to_mine = func.count().filter(
        tuple_(w.c.joined_at, w.c.book_id, w.c.volunteer_id)
        <= tuple_(mine.c.joined_at, mine.c.book_id, mine.c.volunteer_id)
    )
    return (
        select(func.count().label("waiting"), func.nullif(up_to_mine, 0).label("waiting_place"))
        .select_from(w.outerjoin(mine, is_mine))
        .where(w.c.shift_book == h.c.book_id, w.c.shift_id == h.c.id, w.c.ended_at.is_(None))
        .correlate(h)
        .lateral("queue")
    )


def _taken() -> "ColumnElement[int]":
    """Places held in the `shift` of the query around it."""
    h, taken = store.shift, store.signup.alias("taken")
    return (
        select(func.count())
        .select_from(taken)
        .where(
            taken.c.shift_book == h.c.book_id,
            taken.c.shift_id == h.c.id,
            taken.c.withdrawn_at.is_(None),
        )
        .correlate(h)
        .scalar_subquery()
    )


def _own(s: Table, volunteer: VolunteerId) -> tuple[ColumnElement[bool], ...]:
    """The place that a volunteer holds in the `shift` of the query around it."""
    h = store.shift
    return (
        s.c.book_id == volunteer.book,
        s.c.volunteer_id == volunteer.id,
        s.c.shift_book == h.c.book_id,
        s.c.shift_id == h.c.id,
        s.c.withdrawn_at.is_(None),
    )
