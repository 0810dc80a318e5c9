"""Objections to records with what they are about and what happened, for each of the three sides."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.objection import ObjectionReason, Step, StepKind, standing_entry
from timebank.domain.scope import Scope
from timebank.domain.service_field import ServiceField
from timebank.ledger import tables as ledger
from timebank.queries.place import is_place, is_town, place, town
from timebank.store import tables as store

_COUNTY_SPAN = 1_000_000
"""Division codes of one county: a book's number with six digits behind it."""


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """One step with what was written.

    Attributes:
        name_sealed: Of who did it, for `Seal.open`, to be shown masked; None where none is known.
        text_sealed: For `Seal.open`; None after erasure.
        evidence: What proves an answer; None on the volunteer's own steps.
        reversal: The entry posted to take one back, or None.
        replacement: The entry posted instead, or None.
    """

    kind: StepKind
    person: UUID
    at: datetime
    name_sealed: bytes | None
    text_sealed: bytes | None
    evidence: str | None
    reversal: int | None
    replacement: int | None

    @property
    def plain(self) -> Step:
        """The step as the decision knows it."""
        return Step(self.kind, self.person, self.at, self.replacement)


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection with the record it is about.

    Attributes:
        name_sealed: The volunteer's, for `Seal.open`.
        seq: The entry that it is about.
        reason: What is wrong with it.
        wanted: The minutes that the volunteer says are right; None where nothing was said.
        organization_id: Who answers first; None: the district.
        minutes: What the entry credited.
        title: And what else is told of the activity: None where the book does not know it.
        shift_starts_at: And what else is told of the stay: None for imported history.
        steps: In order, one at least.
    """

    volunteer: VolunteerId
    objection: int
    name_sealed: bytes | None
    seq: int
    reason: ObjectionReason
    wanted: int | None
    organization_id: OrganizationId | None
    minutes: int
    effective_at: datetime
    recorded_at: datetime
    assurance: Assurance
    measured: Measured
    field: ServiceField
    place: str | None
    town: str | None
    title: str | None
    organization: str | None
    in_charge: str | None
    address: str | None
    shift_book: int | None
    shift: int | None
    shift_starts_at: datetime | None
    shift_ends_at: datetime | None
    arrived_at: datetime | None
    arrival_measured: bool | None
    left_at: datetime | None
    departure_measured: bool | None
    steps: tuple[WrittenStep, ...]

    @property
    def evidence(self) -> Evidence:
        """The class in which the record is shown."""
        return evidence_of(self.assurance, self.measured)

    @property
    def plain_steps(self) -> tuple[Step, ...]:
        """The steps as the decision knows them."""
        return tuple(each.plain for each in self.steps)

    @property
    def standing(self) -> int:
        """The entry that stands for the record now."""
        return standing_entry(self.seq, self.plain_steps)


async def list_own_objections(
    conn: AsyncConnection, *, volunteer: VolunteerId, limit: int = 200
) -> list[Objection]:
    """Return a volunteer's objections, newest first. Cost: two statements."""
    o = store.objection.c
    return await _list(
        conn, [o.book_id == volunteer.book, o.volunteer_id == volunteer.id], limit=limit
    )


async def list_organized_objections(
    conn: AsyncConnection, *, organizations: Sequence[OrganizationId], limit: int = 200
) -> list[Objection]:
    """Return the objections that organizations answer, newest first. Cost: two statements."""
    return await _list(conn, [_is_of(organizations)], limit=limit)


async def list_district_objections(
    conn: AsyncConnection, *, scope: Scope, limit: int = 200
) -> list[Objection]:
    """Return the objections in the books of the counties seen whole, newest first.

    Cost: two statements.
    """
    return await _list(conn, [_is_seen(scope)], limit=limit)


async def find_own_objection(
    conn: AsyncConnection, *, volunteer: VolunteerId, objection: int
) -> Objection | None:
    """Return one of a volunteer's objections, or None."""
    o = store.objection.c
    return await _find(conn, volunteer.book, objection, o.volunteer_id == volunteer.id)


async def find_organized_objection(
    conn: AsyncConnection,
    *,
    organizations: Sequence[OrganizationId],
    book: int,
    objection: int,
) -> Objection | None:
    """Return an objection that organizations answer, or None."""
    return await _find(conn, book, objection, _is_of(organizations))


async def find_district_objection(
    conn: AsyncConnection, *, scope: Scope, book: int, objection: int
) -> Objection | None:
    """Return an objection in the book of a county seen whole, or None."""
    return await _find(conn, book, objection, _is_seen(scope))


async def _find(
    conn: AsyncConnection, book: int, objection: int, whose: ColumnElement[bool]
) -> Objection | None:
    o = store.objection.c
    found = await _list(conn, [o.book_id == book, o.id == objection, whose], limit=1)
    return found[0] if found else None


def _is_of(organizations: Sequence[OrganizationId]) -> ColumnElement[bool]:
    o = store.objection.c
    return tuple_(o.organization_book, o.organization_id).in_(
        [(each.book, each.id) for each in organizations]
    )


def _is_seen(scope: Scope) -> ColumnElement[bool]:
    """Say that a book's county lies whole in a scope: an office of a town hears nobody."""
    codes = scope.codes
    first, last = -(-codes.start // _COUNTY_SPAN), (codes.stop - 1) // _COUNTY_SPAN
    return store.objection.c.book_id.between(first, last)


async def _list(
    conn: AsyncConnection, where: Sequence[ColumnElement[bool]], *, limit: int
) -> list[Objection]:
    ob, v, p, t = store.objection, store.volunteer, store.person, ledger.transfer
    a, org, h, stay = store.activity, store.organization, store.shift, store.attendance
    rows = (
        await conn.execute(
            select(
                ob.c.book_id,
                ob.c.volunteer_id,
                ob.c.id,
                p.c.name_sealed,
                ob.c.seq,
                ob.c.reason,
                ob.c.minutes.label("wanted"),
                ob.c.organization_book,
                ob.c.organization_id,
                t.c.amount.label("minutes"),
                t.c.effective_at,
                t.c.recorded_at,
                t.c.assurance,
                t.c.measured,
                t.c.field,
                place.c.name.label("place"),
                town.c.name.label("town"),
                a.c.title,
                org.c.name.label("organization"),
                a.c.in_charge,
                a.c.address,
                h.c.book_id.label("shift_book"),
                h.c.id.label("shift"),
                h.c.starts_at.label("shift_starts_at"),
                h.c.ends_at.label("shift_ends_at"),
                stay.c.arrived_at,
                stay.c.arrival_measured,
                stay.c.left_at,
                stay.c.departure_measured,
            )
            .select_from(ob)
            .join(t, and_(t.c.book_id == ob.c.book_id, t.c.seq == ob.c.seq))
            .join(v, and_(v.c.book_id == ob.c.book_id, v.c.id == ob.c.volunteer_id))
            .outerjoin(p, p.c.id == v.c.person_id)
            .outerjoin(a, and_(a.c.book_id == t.c.activity_book, a.c.id == t.c.activity))
            .outerjoin(org, and_(org.c.book_id == a.c.book_id, org.c.id == a.c.organization_id))
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
            .where(*where)
            .order_by(ob.c.book_id, ob.c.id.desc())
            .limit(limit)
        )
    ).all()
    steps = await _list_steps(conn, [(row.book_id, row.id) for row in rows])
    return [_objection(row._asdict(), steps[row.book_id, row.id]) for row in rows]


async def _list_steps(
    conn: AsyncConnection, objections: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], list[WrittenStep]]:
    found: dict[tuple[int, int], list[WrittenStep]] = defaultdict(list)
    if not objections:
        return found
    s, x, p = store.objection_step, store.objection_text, store.person
    rows = await conn.execute(
        select(
            s.c.book_id,
            s.c.objection_id,
            s.c.kind,
            s.c.person_id,
            s.c.at,
            p.c.name_sealed,
            x.c.text_sealed,
            s.c.evidence,
            s.c.reversal,
            s.c.replacement,
        )
        .select_from(s)
        .outerjoin(
            x,
            and_(
                x.c.book_id == s.c.book_id,
                x.c.objection_id == s.c.objection_id,
                x.c.step == s.c.step,
            ),
        )
        .outerjoin(p, p.c.id == s.c.person_id)
        .where(tuple_(s.c.book_id, s.c.objection_id).in_(objections))
        .order_by(s.c.book_id, s.c.objection_id, s.c.step)
    )
    for book, objection, kind, *rest in rows:
        found[book, objection].append(WrittenStep(StepKind(kind), *rest))
    return found


def _objection(row: dict[str, Any], steps: Sequence[WrittenStep]) -> Objection:
    volunteer = VolunteerId(row.pop("book_id"), row.pop("volunteer_id"))
    objection, organization_book = row.pop("id"), row.pop("organization_book")
    organization = row.pop("organization_id")
    return Objection(
        **row
        | {
            "volunteer": volunteer,
            "objection": objection,
            "reason": ObjectionReason(row["reason"]),
            "organization_id": None
            if organization is None
            else OrganizationId(organization_book, organization),
            "assurance": Assurance(row["assurance"]),
            "measured": Measured(row["measured"]),
            "field": ServiceField(row["field"]),
            "steps": tuple(steps),
        }
    )
