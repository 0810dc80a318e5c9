"""What is known of volunteers besides their service: shifts missed, age, roles, what they hold.

Read on two clocks as all facts are: a fact counts for a day when it happened by then, and is known
as of an entry when it was written down no later than that entry.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.period import day_start, local_day
from timebank.domain.scope import Scope
from timebank.domain.transfer import AccountKind, Unit
from timebank.ledger import tables as ledger
from timebank.policy.attestation import Said, fact_of
from timebank.policy.fact import FactKey, Value
from timebank.store import tables as store

SAID = frozenset({"bad_credit", "certificate_level", "employed_in", "household_in", "listed"})
"""What other offices say."""

NAMES = SAID | {"first_service_on", "no_shows", "age", "party_member", "credits", "points"}
"""The facts that this file answers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What somebody is from a day on."""

    from_on: date
    birth_year: int | None
    is_party_member: bool


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of some volunteers, by their numbers; whoever is left out has nothing of it.

    Attributes:
        first_served: By the key that asked, because evidence and clock differ.
        held: What they hold of credits and points, by key.
        said: What other offices say, oldest first.
    """

    missed: dict[int, list[date]] = field(default_factory=dict)
    profiles: dict[int, list[Profile]] = field(default_factory=dict)
    first_served: dict[FactKey, dict[int, date]] = field(default_factory=dict)
    held: dict[FactKey, dict[int, int]] = field(default_factory=dict)
    said: dict[int, list[Said]] = field(default_factory=dict)

    def fact(self, volunteer: int, key: FactKey) -> Value | None:
        """Return one of `NAMES` for a volunteer; None where it is not known."""
        match key.name:
            case "no_shows":
                return sum(
                    (key.since is None or key.since <= on) and on < key.until
                    for on in self.missed.get(volunteer, ())
                )
            case "first_service_on":
                return self.first_served[key].get(volunteer)
            case "credits" | "points":
                return self.held[key].get(volunteer, 0)
            case "age" | "party_member":
                profile = next(
                    (
                        each
                        for each in reversed(self.profiles.get(volunteer, []))
                        if each.from_on < key.until
                    ),
                    None,
                )
                if profile is None:
                    return None
                if key.name == "party_member":
                    return profile.is_party_member
                return _age(profile.birth_year, on=key.until - timedelta(days=1))
            case _ if key.name in SAID:
                return fact_of(self.said.get(volunteer, ()), key)
            case _:
                raise ValueError(f"{key.name} is not answered here")


def _age(birth_year: int | None, *, on: date) -> int | None:
    """Return whole years of life; only the year of birth is kept, so nobody is made older."""
    if birth_year is None:
        return None
    return on.year - birth_year - (0 if (on.month, on.day) == (12, 31) else 1)


async def circumstances(
    conn: AsyncConnection,
    *,
    scope: Scope,
    book: int,
    keys: Iterable[FactKey],
    zone: ZoneInfo,
    as_of: int | None = None,
    only: int | None = None,
) -> Circumstances:
    """Return what keys of `NAMES` ask about the volunteers of a book, or about one of them.

    `scope` has to hold the book's county, or to be the volunteer's own.

    Cost: a statement for missed shifts, profiles and what others say where they are asked for; one
    for every key of first service, credits and points, which reads the journal.
    """
    asked = [key for key in keys if key.name in NAMES]
    if only is None and not scope.covers(book * 1_000_000) and scope.region // 1_000_000 != book:
        raise ValueError("the book lies outside the scope")
    known_by = await _known_by(conn, book=book, as_of=as_of)
    names = {key.name for key in asked}
    found = Circumstances()
    if "no_shows" in names:
        s = store.signup.c
        query = select(s.volunteer_id, s.missed_at).where(
            s.book_id == book, s.missed_at.is_not(None), s.withdrawn_at.is_(None)
        )
        if only is not None:
            query = query.where(s.volunteer_id == only)
        if known_by is not None:
            query = query.where(s.missed_at <= known_by)
        missed: dict[int, list[date]] = defaultdict(list)
        for volunteer, at in await conn.execute(query):
            missed[volunteer].append(local_day(at, zone=zone))
        found.missed.update(missed)
    if names & {"age", "party_member"}:
        p = store.profile.c
        profile_query = select(p.volunteer_id, p.from_on, p.birth_year, p.is_party_member).where(
            p.book_id == book
        )
        if only is not None:
            profile_query = profile_query.where(p.volunteer_id == only)
        if known_by is not None:
            profile_query = profile_query.where(p.recorded_at <= known_by)
        profiles: dict[int, list[Profile]] = defaultdict(list)
        rows = await conn.execute(profile_query.order_by(p.from_on))
        for volunteer, from_on, birth_year, is_party_member in rows:
            profiles[volunteer].append(Profile(from_on, birth_year, is_party_member))
        found.profiles.update(profiles)
    if names & SAID:
        a = store.attestation.c
        said_query = select(
            a.volunteer_id, a.fact, a.detail, a.from_on, a.through_on, a.value
        ).where(a.book_id == book, a.fact.in_(names & SAID))
        if only is not None:
            said_query = said_query.where(a.volunteer_id == only)
        if known_by is not None:
            said_query = said_query.where(a.recorded_at <= known_by)
        said: dict[int, list[Said]] = defaultdict(list)
        for volunteer, *each in await conn.execute(said_query.order_by(a.recorded_at)):
            said[volunteer].append(Said(*each))
        found.said.update(said)
    for key in asked:
        if key.name == "first_service_on":
            found.first_served[key] = await _first_served(
                conn, book=book, key=key, zone=zone, as_of=as_of, only=only
            )
        elif key.name in ("credits", "points"):
            found.held[key] = await _held(
                conn, book=book, key=key, zone=zone, as_of=as_of, only=only
            )
    return found


async def _known_by(conn: AsyncConnection, *, book: int, as_of: int | None) -> datetime | None:
    """Return the instant at which an entry was written; None for now."""
    if as_of is None:
        return None
    t = ledger.transfer.c
    found = await conn.scalar(select(t.recorded_at).where(t.book_id == book, t.seq == as_of))
    # Before the first entry nothing was known.
    return datetime.min.replace(tzinfo=UTC) if found is None else found


async def _first_served(
    conn: AsyncConnection,
    *,
    book: int,
    key: FactKey,
    zone: ZoneInfo,
    as_of: int | None,
    only: int | None,
) -> dict[int, date]:
    t = ledger.transfer.c
    back = ledger.transfer.alias("taken_back").c
    taken_back = select(back.seq).where(back.book_id == book, back.reverses == t.seq)
    query = select(t.volunteer, func.min(t.effective_at)).where(
        t.book_id == book,
        t.volunteer.is_not(None),
        t.reverses.is_(None),
        t.assurance >= key.assurance_min,
        t.effective_at < day_start(key.until, zone=zone),
    )
    if as_of is not None:
        taken_back = taken_back.where(back.seq <= as_of)
        query = query.where(t.seq <= as_of)
    if only is not None:
        query = query.where(t.volunteer == only)
    rows = await conn.execute(query.where(~taken_back.exists()).group_by(t.volunteer))
    return {volunteer: local_day(at, zone=zone) for volunteer, at in rows}


async def _held(
    conn: AsyncConnection,
    *,
    book: int,
    key: FactKey,
    zone: ZoneInfo,
    as_of: int | None,
    only: int | None,
) -> dict[int, int]:
    """Return what volunteers hold of all credits, or of all points."""
    a, t, u = ledger.account.c, ledger.transfer.c, ledger.unit.c
    own = Unit.CREDITS if key.name == "credits" else Unit.POINTS
    units = list(
        await conn.scalars(select(u.id).where(or_(u.id == own.value, u.code.like(f"{key.name}:%"))))
    )
    sides = []
    for account, sign in ((t.credit, 1), (t.debit, -1)):
        query = (
            select(a.owner.label("owner"), (t.amount * literal(sign)).label("amount"))
            .join_from(
                ledger.transfer,
                ledger.account,
                (a.book_id == t.book_id) & (a.id == account),
            )
            .where(
                t.book_id == book,
                t.unit.in_(units),
                a.kind == AccountKind.VOLUNTEER.value,
                t.effective_at < day_start(key.until, zone=zone),
            )
        )
        if as_of is not None:
            query = query.where(t.seq <= as_of)
        if only is not None:
            query = query.where(a.owner == only)
        sides.append(query)
    both = union_all(*sides).subquery()
    rows = await conn.execute(select(both.c.owner, func.sum(both.c.amount)).group_by(both.c.owner))
    return {owner: int(amount) for owner, amount in rows}
