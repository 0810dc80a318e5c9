"""The only writer of entitlements and their steps. Whoever calls it holds the book's lock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, RowMapping, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.entitlement import OPEN, Entitlement, Standing, State, StepKind, Terms
from timebank.domain.region import Level
from timebank.ledger import entitlement_tables as tables

_INSERT = """
    insert into entitlement
        (book_id, id, volunteer, pack, pack_hash, rule, tier, period, source, unit, amount,
        decided_on, expires_on, office, publicise_days, pool, claw, grace_days, menu, run, reasons,
        proposed_at, proposed_by, approvals)
    select $1, * from unnest(
        $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[],
        $9::text[], $10::smallint[], $11::bigint[], $12::date[], $13::date[], $14::text[],
        $15::smallint[], $16::bigint[], $17::text[], $18::smallint[], $19::text[], $20::bigint[],
        $21::text[], $22::timestamptz[], $23::uuid[], $24::smallint[]
    )
    on conflict do nothing
    returning id
"""

_STEPS = """
    insert into entitlement_step
        (book_id, entitlement, number, kind, at, person, seq, amount, use, partner, until_on, note)
    select $1, * from unnest(
        $2::bigint[], $3::int[], $4::text[], $5::timestamptz[], $6::uuid[], $7::bigint[],
        $8::bigint[], $9::int[], $10::bigint[], $11::date[], $12::text[]
    )
"""

_STATES = """
    insert into entitlement_state
        (book_id, entitlement, volunteer, state, "left", uses, steps, due_on, expires_on)
    select $1, * from unnest(
        $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::int[], $7::int[], $8::date[],
        $9::date[]
    )
    on conflict (book_id, entitlement) do update
    set state = excluded.state, "left" = excluded."left", uses = excluded.uses,
        steps = excluded.steps, due_on = excluded.due_on
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of policies.

    Attributes:
        as_of: Entries 1 to `as_of` were known.
        packs: Hashes of all packs that were evaluated together, in their order.
    """

    book: int
    id: int
    decided_on: date
    as_of: int
    packs: tuple[str, ...]
    people: int
    ran_at: datetime
    person: UUID | None


async def insert_run(conn: AsyncConnection, *, run: Run) -> None:
    """Keep what a run was made of, so that its decisions can be made again."""
    await conn.execute(
        insert(tables.grant_run).values(
            book_id=run.book,
            id=run.id,
            decided_on=run.decided_on,
            as_of=run.as_of,
            packs=" ".join(run.packs),
            people=run.people,
            ran_at=run.ran_at,
            person=run.person,
        )
    )


async def find_run(conn: AsyncConnection, *, book: int, run: int) -> Run | None:
    """Return a run, or None."""
    c = tables.grant_run.c
    row = (
        (await conn.execute(select(tables.grant_run).where(c.book_id == book, c.id == run)))
        .mappings()
        .first()
    )
    if row is None:
        return None
    return Run(
        book=book,
        id=run,
        decided_on=row["decided_on"],
        as_of=row["as_of"],
        packs=tuple(row["packs"].split()),
        people=row["people"],
        ran_at=row["ran_at"],
        person=row["person"],
    )


async def list_known_entries(
    conn: AsyncConnection, *, book: int, runs: Collection[int]
) -> dict[int, int]:
    """Return up to which entry each run knew the book.

    Shape: one item per run that exists.
    """
    c = tables.grant_run.c
    rows = await conn.execute(select(c.id, c.as_of).where(c.book_id == book, c.id.in_(runs)))
    return {run: as_of for run, as_of in rows}  # noqa: C416 not pairs to mypy


async def insert_entitlements(
    conn: AsyncConnection, *, book: int, entitlements: Sequence[Entitlement]
) -> set[int]:
    """Add what is not there yet, and return the numbers of what was added.

    What one rule gives one person for one period is there once, whoever adds it.

    Cost: one statement.
    """
    driver = await driver_of(conn)
    rows = [
        (
            each.id,
            each.volunteer,
            each.pack,
            each.pack_hash,
            each.rule,
            each.tier,
            each.period,
            each.source,
            each.unit,
            each.amount,
            each.decided_on,
            each.expires_on,
            each.terms.office.value,
            each.terms.publicise_days,
            each.pool,
            each.terms.claw,
            each.terms.grace_days,
            each.terms.menu,
            each.run,
            each.reasons,
            each.proposed_at,
            each.proposed_by,
            each.terms.approvals,
        )
        for each in entitlements
    ]
    if not rows:
        return set()
    added = await driver.fetch(_INSERT, book, *zip(*rows, strict=True))
    return {row[0] for row in added}


async def write_steps(conn: AsyncConnection, *, book: int, standings: Sequence[Standing]) -> None:
    """Write the steps that were taken, and what they made of each. Cost: two statements."""
    driver = await driver_of(conn)
    changed = [each for each in standings if each.new_steps]
    if not changed:
        return
    steps = [
        (
            each.of.id,
            step.number,
            step.kind.value,
            step.at,
            step.person,
            step.seq,
            step.amount,
            step.use,
            step.partner,
            step.until_on,
            step.note,
        )
        for each in changed
        for step in each.new_steps
    ]
    await driver.execute(_STEPS, book, *zip(*steps, strict=True))
    states = [
        (
            each.of.id,
            each.of.volunteer,
            each.state.value,
            each.left,
            each.uses,
            each.steps,
            each.due_on,
            each.expires_on,
        )
        for each in changed
    ]
    await driver.execute(_STATES, book, *zip(*states, strict=True))
    for each in changed:
        each.new_steps.clear()


async def list_standings(
    conn: AsyncConnection, *, book: int, ids: Collection[int]
) -> list[Standing]:
    """Return where entitlements stand, in their order; what does not exist is left out."""
    e = tables.entitlement.c
    rows = await conn.execute(_select().where(e.book_id == book, e.id.in_(ids)).order_by(e.id))
    return [read_standing(row) for row in rows.mappings()]


async def list_in_state(
    conn: AsyncConnection,
    *,
    book: int,
    states: Collection[State],
    limit: int,
    due_before: date | None = None,
    expired_before: date | None = None,
    pool: int | None = None,
) -> list[Standing]:
    """Return what stands in some states, oldest first.

    `due_before`: only what is due before a day; `expired_before`: only what expires before one;
    `pool`: only what one pool pays.
    """
    e, s = tables.entitlement.c, tables.entitlement_state.c
    query = _select().where(s.book_id == book, s.state.in_([each.value for each in states]))
    if due_before is not None:
        query = query.where(s.due_on < due_before)
    if expired_before is not None:
        query = query.where(s.expires_on < expired_before)
    if pool is not None:
        query = query.where(e.pool == pool)
    rows = await conn.execute(query.order_by(s.entitlement).limit(limit))
    return [read_standing(row) for row in rows.mappings()]


async def list_of_volunteer(conn: AsyncConnection, *, book: int, volunteer: int) -> list[Standing]:
    """Return where all entitlements of a volunteer stand, in their order."""
    s = tables.entitlement_state.c
    rows = await conn.execute(
        _select().where(s.book_id == book, s.volunteer == volunteer).order_by(s.entitlement)
    )
    return [read_standing(row) for row in rows.mappings()]


async def find_by_entry(conn: AsyncConnection, *, book: int, seq: int) -> Standing | None:
    """Return the entitlement that an entry issued, or None."""
    e, p = tables.entitlement.c, tables.entitlement_step.c
    row = (
        (
            await conn.execute(
                _select()
                .join(
                    tables.entitlement_step,
                    (p.book_id == e.book_id) & (p.entitlement == e.id),
                )
                .where(p.book_id == book, p.seq == seq, p.kind == StepKind.ISSUED.value)
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else read_standing(row)


async def list_carried(
    conn: AsyncConnection, *, book: int, volunteer: int, first_seq: int, last_seq: int
) -> list[tuple[Standing, int, int]]:
    """Return what of a volunteer's grants the entries of a carriage took along, in their order.

    Shape: one item per grant: where it stands, the entry, and how much.
    """
    e, p = tables.entitlement.c, tables.entitlement_step.c
    rows = await conn.execute(
        _select()
        .add_columns(p.seq, p.amount.label("carried"))
        .join(tables.entitlement_step, (p.book_id == e.book_id) & (p.entitlement == e.id))
        .where(
            p.book_id == book,
            e.volunteer == volunteer,
            p.kind == StepKind.CARRIED.value,
            p.seq.between(first_seq, last_seq),
        )
        .order_by(e.id)
    )
    return [(read_standing(row), row["seq"], row["carried"]) for row in rows.mappings()]


async def find_taken_back(
    conn: AsyncConnection, *, book: int, seqs: Collection[int]
) -> dict[int, Standing]:
    """Return the entitlements that entries took back, whole or in part, by entry."""
    e, p = tables.entitlement.c, tables.entitlement_step.c
    rows = await conn.execute(
        _select()
        .add_columns(p.seq)
        .join(tables.entitlement_step, (p.book_id == e.book_id) & (p.entitlement == e.id))
        .where(
            p.book_id == book,
            p.seq.in_(seqs),
            p.kind.in_([StepKind.REVOKED.value, StepKind.REDUCED.value]),
        )
    )
    found: dict[int, Standing] = {}
    by_id: dict[int, Standing] = {}
    for row in rows.mappings():
        # One that was taken back in two parts is one standing: its steps are counted once.
        found[row["seq"]] = by_id.setdefault(row["id"], read_standing(row))
    return found


async def find_question(conn: AsyncConnection, *, book: int, entitlement: int) -> str:
    """Return the words of the newest question about an entitlement; empty where there was none."""
    p = tables.entitlement_step.c
    found: str | None = await conn.scalar(
        select(p.note)
        .where(
            p.book_id == book,
            p.entitlement == entitlement,
            p.kind == StepKind.QUESTIONED.value,
        )
        .order_by(p.number.desc())
        .limit(1)
    )
    return found or ""


async def sum_promised(conn: AsyncConnection, *, book: int, pool: int) -> tuple[int, bool]:
    """Return what is proposed out of a pool and not set aside, and whether anybody waits for it."""
    e, s = tables.entitlement.c, tables.entitlement_state.c
    row = (
        await conn.execute(
            select(
                func.coalesce(func.sum(e.amount), 0).cast(BigInteger),
                func.coalesce(func.bool_or(s.state == State.WAITING.value), False),
            )
            .join_from(
                tables.entitlement,
                tables.entitlement_state,
                (s.book_id == e.book_id) & (s.entitlement == e.id),
            )
            .where(
                s.book_id == book,
                s.state.in_([each.value for each in OPEN]),
                e.pool == pool,
            )
        )
    ).one()
    return row[0], row[1]


async def list_entries(
    conn: AsyncConnection, *, book: int, ids: Collection[int], kind: StepKind
) -> dict[int, list[int]]:
    """Return the entries of a kind of step.

    Shape: one item per entitlement that has any, its entries in their order.
    """
    p = tables.entitlement_step.c
    found: dict[int, list[int]] = {}
    for entitlement, seq in await conn.execute(
        select(p.entitlement, p.seq)
        .where(
            p.book_id == book,
            p.entitlement.in_(ids),
            p.kind == kind.value,
            p.seq.is_not(None),
        )
        .order_by(p.entitlement, p.number)
    ):
        found.setdefault(entitlement, []).append(seq)
    return found


async def list_persons(
    conn: AsyncConnection, *, book: int, ids: Collection[int]
) -> dict[int, set[UUID]]:
    """Return who proposed or agreed to entitlements so far.

    Shape: one item per entitlement.
    """
    e, p = tables.entitlement.c, tables.entitlement_step.c
    found: dict[int, set[UUID]] = {each: set() for each in ids}
    for entitlement, person in await conn.execute(
        select(e.id, e.proposed_by).where(e.book_id == book, e.id.in_(ids))
    ):
        if person is not None:
            found[entitlement].add(person)
    for entitlement, person in await conn.execute(
        select(p.entitlement, p.person).where(
            p.book_id == book,
            p.entitlement.in_(ids),
            p.kind.in_([StepKind.ENDORSED.value, StepKind.APPROVED.value]),
            p.person.is_not(None),
        )
    ):
        found[entitlement].add(person)
    return found


@dataclass(frozen=True, slots=True)
class Use:
    """One use of an entitlement, as it was redeemed."""

    at: datetime
    partner: int | None
    seq: int | None
    amount: int


async def find_use(conn: AsyncConnection, *, book: int, entitlement: int, use: int) -> Use | None:
    """Return one use of an entitlement, or None."""
    p = tables.entitlement_step.c
    row = (
        await conn.execute(
            select(p.at, p.partner, p.seq, p.amount).where(
                p.book_id == book,
                p.entitlement == entitlement,
                p.kind == StepKind.USED.value,
                p.use == use,
            )
        )
    ).first()
    return None if row is None else Use(row[0], row[1], row[2], row[3] or 0)


async def is_noted(conn: AsyncConnection, *, book: int, note: str) -> bool:
    """Return whether something was given or spent with a note, such as `service:17`."""
    p = tables.entitlement_step.c
    found = await conn.scalar(
        select(p.number)
        .where(p.book_id == book, p.kind == StepKind.GIVEN.value, p.note == note)
        .limit(1)
    )
    return found is not None


async def sum_spent(conn: AsyncConnection, *, book: int, volunteer: int) -> int:
    """Return how much a volunteer has spent on service received so far."""
    s, p = tables.entitlement_state.c, tables.entitlement_step.c
    whole: int | None = await conn.scalar(
        select(func.sum(p.amount).cast(BigInteger))
        .join_from(
            tables.entitlement_state,
            tables.entitlement_step,
            (p.book_id == s.book_id) & (p.entitlement == s.entitlement),
        )
        .where(
            s.book_id == book,
            s.volunteer == volunteer,
            p.kind == StepKind.GIVEN.value,
            p.note.startswith("service:"),
        )
    )
    return whole or 0


async def find_publicised_until(
    conn: AsyncConnection, *, book: int, ids: Collection[int]
) -> dict[int, date]:
    """Return the last day on which entitlements are public.

    Shape: one item per entitlement that was made public.
    """
    p = tables.entitlement_step.c
    rows = await conn.execute(
        select(p.entitlement, p.until_on)
        .where(
            p.book_id == book,
            p.entitlement.in_(ids),
            p.kind == StepKind.PUBLICISED.value,
            p.until_on.is_not(None),
        )
        .order_by(p.number)
    )
    return {entitlement: until for entitlement, until in rows}  # noqa: C416 not pairs to mypy


def _select() -> Select[Any]:
    e, s = tables.entitlement.c, tables.entitlement_state.c
    return select(
        *tables.entitlement.c,
        s.state,
        s.left,
        s.uses,
        s.steps,
        s.due_on,
    ).join_from(
        tables.entitlement,
        tables.entitlement_state,
        (s.book_id == e.book_id) & (s.entitlement == e.id),
    )


def read_standing(row: RowMapping | Mapping[str, Any]) -> Standing:
    """Return where an entitlement stands, of a row of both tables."""
    return Standing(
        of=Entitlement(
            book=row["book_id"],
            id=row["id"],
            volunteer=row["volunteer"],
            pack=row["pack"],
            pack_hash=row["pack_hash"],
            rule=row["rule"],
            tier=row["tier"],
            period=row["period"],
            source=row["source"],
            unit=row["unit"],
            amount=row["amount"],
            decided_on=row["decided_on"],
            expires_on=row["expires_on"],
            terms=Terms(
                office=Level(row["office"]),
                publicise_days=row["publicise_days"],
                approvals=row["approvals"],
                claw=row["claw"],
                grace_days=row["grace_days"],
                menu=row["menu"],
            ),
            pool=row["pool"],
            run=row["run"],
            reasons=row["reasons"],
            proposed_at=row["proposed_at"],
            proposed_by=row["proposed_by"],
        ),
        state=State(row["state"]),
        left=row["left"],
        uses=row["uses"],
        steps=row["steps"],
        due_on=row["due_on"],
        expires_on=row["expires_on"],
    )
