"""What was granted: to one person, and how often by each rule."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.entitlement import OPEN, Cause, State, StepKind
from timebank.domain.period import local_day
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.domain.signal import ReviewOutcome
from timebank.ledger import entitlement_tables as granted
from timebank.ledger import tables
from timebank.policy.allocation import Past
from timebank.policy.revocation import Claw
from timebank.store import tables as store

MadeKey: TypeAlias = tuple[str, str, int, str, int]
"""Pack, rule, tier, period, volunteer."""


@dataclass(frozen=True, slots=True)
class Granted:
    """One grant that stands.

    Attributes:
        seq: The ledger entry, in the book that granted.
        tier: 0 for a rule without tiers.
        period: `lifetime`, or the year.
        reasons: One per leaf, JSON.
    """

    seq: int
    pack: str
    rule: str
    tier: int
    period: str
    count: int
    effective_at: datetime
    recorded_at: datetime
    reasons: str


async def list_granted(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[Granted]:
    """Return one volunteer's grants that were not taken back, newest first.

    Those that were brought from another county come last, under their numbers there.
    """
    d, t = tables.decision.c, tables.transfer.c
    taken_back = tables.transfer.alias("taken_back").c
    rows = await conn.execute(
        select(
            d.seq,
            d.pack,
            d.rule,
            d.tier,
            d.period,
            t.amount,
            t.effective_at,
            t.recorded_at,
            d.reasons,
        )
        .join_from(tables.decision, tables.transfer, (t.book_id == d.book_id) & (t.seq == d.seq))
        .where(
            d.book_id == volunteer.book,
            d.volunteer == volunteer.id,
            ~select(taken_back.seq)
            .where(taken_back.book_id == d.book_id, taken_back.reverses == d.seq)
            .exists(),
        )
        .order_by(d.seq.desc())
    )
    g = tables.carried_grant.c
    brought = await conn.execute(
        select(
            g.granted_seq,
            g.pack,
            g.rule,
            g.tier,
            g.period,
            g["count"],
            g.effective_at,
            g.recorded_at,
            g.reasons,
        )
        .where(g.book_id == volunteer.book, g.volunteer == volunteer.id, g.is_standing)
        .order_by(g.recorded_at.desc(), g.granted_book, g.granted_seq.desc())
    )
    return [Granted(*row) for row in (*rows, *brought)]


async def count_granted(conn: AsyncConnection, *, scope: Scope) -> dict[tuple[str, str], int]:
    """Return how many grants each rule made in the book of a scope's county.

    Shape: one item per `(pack, rule)` that granted.
    """
    d = tables.decision.c
    rows = await conn.execute(
        select(d.pack, d.rule, func.count())
        .where(d.book_id == county_of(scope.region))
        .group_by(d.pack, d.rule)
    )
    return {(pack, rule): count for pack, rule, count in rows}


@dataclass(frozen=True, slots=True)
class Made:
    """Which grants are there already: pack, rule, tier, period, volunteer.

    Attributes:
        keys: All of them, also what was taken back or refused.
        waiting: Those that are proposed and not decided.
    """

    keys: set[MadeKey]
    waiting: set[MadeKey]


async def list_made_keys(
    conn: AsyncConnection, *, scope: Scope, rules: Collection[tuple[str, str]]
) -> Made:
    """Return which grants of some rules are there already.

    Grants that were taken back or refused count too: what an office decided, a run does not decide
    again. So do those that a volunteer brought from another county.
    """
    d, g = tables.decision.c, tables.carried_grant.c
    e, s = granted.entitlement.c, granted.entitlement_state.c
    wanted = set(rules)
    book, packs = county_of(scope.region), {pack for pack, _ in wanted}
    rows = await conn.execute(
        union_all(
            select(d.pack, d.rule, d.tier, d.period, d.volunteer, literal("")).where(
                d.book_id == book, d.pack.in_(packs)
            ),
            select(g.pack, g.rule, g.tier, g.period, g.volunteer, literal("")).where(
                g.book_id == book, g.pack.in_(packs)
            ),
            select(e.pack, e.rule, e.tier, e.period, e.volunteer, s.state)
            .join_from(
                granted.entitlement,
                granted.entitlement_state,
                (s.book_id == e.book_id) & (s.entitlement == e.id),
            )
            # A gift, or what was brought along, is nothing that the rule gave here.
            .where(e.book_id == book, e.pack.in_(packs), e.source == ""),
        )
    )
    made = Made(set(), set())
    for *parts, state in rows:
        key: MadeKey = (parts[0], parts[1], parts[2], parts[3], parts[4])
        if key[:2] not in wanted:
            continue
        made.keys.add(key)
        if state in OPEN:
            made.waiting.add(key)
    return made


async def list_past(
    conn: AsyncConnection, *, scope: Scope, packs: Collection[str], is_located: bool = False
) -> list[Past]:
    """Return the grants of some packs that stand in a book, whether issued yet or not.

    What was refused, declined or taken back does not stand; what expired was given all the same.
    With `is_located` each says where its person lives now, for rules that give so many in every
    division.
    """
    book = county_of(scope.region)
    d, t, g = tables.decision.c, tables.transfer.c, tables.carried_grant.c
    e, s, b = granted.entitlement.c, granted.entitlement_state.c, tables.book.c
    zone = ZoneInfo(str(await conn.scalar(select(b.zone).where(b.id == book))))
    past = [
        Past(
            person=row.volunteer,
            pack_id=row.pack,
            rule_id=row.rule,
            level=row.tier,
            period_key=row.period,
            on=row.decided_on,
            count=row.amount,
        )
        for row in await conn.execute(
            select(e.volunteer, e.pack, e.rule, e.tier, e.period, e.decided_on, e.amount)
            .join_from(
                granted.entitlement,
                granted.entitlement_state,
                (s.book_id == e.book_id) & (s.entitlement == e.id),
            )
            .where(
                e.book_id == book,
                e.pack.in_(packs),
                e.source == "",
                s.state.not_in([State.REFUSED.value, State.DECLINED.value, State.REVOKED.value]),
            )
        )
    ]
    # Those of releases that knew no life cycle, and those of other counties.
    older = await conn.execute(
        union_all(
            select(d.volunteer, d.pack, d.rule, d.tier, d.period, t.effective_at, t.amount)
            .join_from(
                tables.decision, tables.transfer, (t.book_id == d.book_id) & (t.seq == d.seq)
            )
            .where(
                d.book_id == book,
                d.pack.in_(packs),
                ~select(e.id)
                .where(
                    e.book_id == book,
                    e.volunteer == d.volunteer,
                    e.pack == d.pack,
                    e.rule == d.rule,
                    e.tier == d.tier,
                    e.period == d.period,
                    e.source == "",
                )
                .exists(),
            ),
            select(g.volunteer, g.pack, g.rule, g.tier, g.period, g.effective_at, g["count"]).where(
                g.book_id == book, g.pack.in_(packs), g.is_standing
            ),
        )
    )
    past.extend(
        Past(
            person=person,
            pack_id=pack,
            rule_id=rule,
            level=tier,
            period_key=period,
            on=local_day(at, zone=zone),
            count=count,
        )
        for person, pack, rule, tier, period, at, count in older
    )
    if not is_located:
        return past
    homes = await _homes(conn, book=book, people={each.person for each in past})
    return [replace(each, home=homes.get(each.person)) for each in past]


async def _homes(conn: AsyncConnection, *, book: int, people: Collection[int]) -> dict[int, int]:
    r = store.residence.c
    rows = await conn.execute(
        select(r.volunteer_id, r.region)
        .where(r.book_id == book, r.volunteer_id.in_(people))
        .order_by(r.volunteer_id, r.from_on)
    )
    return {volunteer: region for volunteer, region in rows}  # noqa: C416 the newest stays


@dataclass(frozen=True, slots=True)
class Affected:
    """A grant whose grounds may have changed since somebody looked at them.

    Attributes:
        pack_hash: Of the pack that granted it.
    """

    id: int
    volunteer: int
    pack_hash: str
    rule: str
    run: int


async def list_affected(
    conn: AsyncConnection, *, scope: Scope, cause: Cause, limit: int
) -> list[Affected]:
    """Return the grants of a book to be looked at again for a cause, oldest first.

    Only grants that can be taken back. What was looked at since is not returned again: after the
    newest question or its end, and after the run itself.

    Cost: one statement.
    """
    book = county_of(scope.region)
    e, s, r = granted.entitlement.c, granted.entitlement_state.c, granted.grant_run.c
    p = granted.entitlement_step.c
    looked = (
        select(func.max(p.at))
        .where(
            p.book_id == book,
            p.entitlement == e.id,
            p.kind.in_([StepKind.QUESTIONED.value, StepKind.CLEARED.value]),
        )
        .scalar_subquery()
    )
    states = [State.ISSUED, State.SPENT, State.QUESTIONED]
    rows = await conn.execute(
        select(e.id, e.volunteer, e.pack_hash, e.rule, e.run)
        .join_from(
            granted.entitlement,
            granted.entitlement_state,
            (s.book_id == e.book_id) & (s.entitlement == e.id),
        )
        .join(granted.grant_run, (r.book_id == e.book_id) & (r.id == e.run))
        .where(
            e.book_id == book,
            e.claw != Claw.NONE.value,
            s.state.in_([each.value for each in states]),
            _has_changed(cause, book=book, since=func.greatest(r.ran_at, looked)),
        )
        .order_by(e.id)
        .limit(limit)
    )
    return [Affected(*row) for row in rows]


def _has_changed(cause: Cause, *, book: int, since: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return whether something was written about a grant's volunteer since an instant."""
    e = granted.entitlement.c
    match cause:
        case Cause.SERVICE:
            t = tables.transfer.c
            # An entry of the same instant as the run may have come after it.
            return (
                select(t.seq)
                .where(
                    t.book_id == book,
                    t.volunteer == e.volunteer,
                    t.reverses.is_not(None),
                    t.assurance.is_not(None),
                    t.seq > granted.grant_run.c.as_of,
                    t.seq > func.coalesce(_last_entry(book), 0),
                )
                .exists()
            )
        case Cause.TOLD:
            a, f, h = store.attestation.c, store.profile.c, store.residence.c
            return or_(
                *(
                    select(each.volunteer_id)
                    .where(
                        each.book_id == book,
                        each.volunteer_id == e.volunteer,
                        each.from_on <= e.decided_on,
                        each.recorded_at > since,
                    )
                    .exists()
                    for each in (a, f, h)
                )
            )
        case Cause.FRAUD:
            w = store.signal_review.c
            return (
                select(w.subject)
                .where(
                    w.book_id == book,
                    w.outcome == ReviewOutcome.FRAUD.value,
                    w.subject == func.concat(f"volunteer/{book}/", e.volunteer),
                    w.reviewed_at > since,
                )
                .exists()
            )
        case Cause.CONDITION:
            # Every day may end it: nothing has to be written.
            return granted.entitlement_state.c.state == State.ISSUED.value


def _last_entry(book: int) -> ColumnElement[int]:
    """Return the newest entry that a grant was looked at for."""
    e, p = granted.entitlement.c, granted.entitlement_step.c
    return (
        select(func.max(p.seq))
        .where(
            p.book_id == book,
            p.entitlement == e.id,
            p.kind.in_([StepKind.QUESTIONED.value, StepKind.CLEARED.value]),
        )
        .scalar_subquery()
    )


async def list_overdue_questions(
    conn: AsyncConnection, *, scope: Scope, today: date, limit: int
) -> list[int]:
    """Return the grants whose days to be put right are over, oldest first."""
    s = granted.entitlement_state.c
    rows = await conn.execute(
        select(s.entitlement)
        .where(
            s.book_id == county_of(scope.region),
            s.state == State.QUESTIONED.value,
            s.due_on < today,
        )
        .order_by(s.entitlement)
        .limit(limit)
    )
    return list(rows.scalars())
