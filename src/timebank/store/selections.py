"""Lists that are drawn from or voted on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.selecting import (
    Choice,
    Lot,
    LotResult,
    Mode,
    Outcome,
    Panel,
    Selection,
    Tie,
    Vote,
)
from timebank.store import tables

_CONVENED, _DECIDED = "convened", "decided"


async def insert_selection(
    conn: AsyncConnection, *, selection: Selection, lots: Sequence[Lot]
) -> None:
    """Keep a list that was fixed. Cost: two statements."""
    await conn.execute(
        insert(tables.selection).values(
            book_id=selection.book,
            id=selection.id,
            mode=selection.mode.value,
            pack=selection.pack,
            pack_hash=selection.pack_hash,
            rule=selection.rule,
            period=selection.period,
            run=selection.run,
            as_of=selection.as_of,
            decided_on=selection.decided_on,
            root=selection.root,
            places=json.dumps(
                {str(division): count for division, count in sorted(selection.places.items())}
            ),
            ready_at=selection.ready_at,
            digest=selection.digest,
            listed_at=selection.listed_at,
            listed_by=selection.listed_by,
        )
    )
    await conn.execute(
        insert(tables.selection_lot),
        [
            {
                "book_id": selection.book,
                "selection": selection.id,
                "lot": each.number,
                "volunteer": each.volunteer,
                "division": each.division,
                "secret": each.secret,
                "commitment": each.commitment,
                "reasons": each.reasons,
            }
            for each in lots
        ],
    )


async def find_selection(conn: AsyncConnection, *, book: int, number: int) -> Selection | None:
    """Return a list, or None."""
    c = tables.selection.c
    row = (
        await conn.execute(select(tables.selection).where(c.book_id == book, c.id == number))
    ).first()
    return None if row is None else _selection(row)


async def find_selection_of(
    conn: AsyncConnection, *, book: int, key: tuple[str, str, str]
) -> Selection | None:
    """Return the list of a pack's rule for a period, or None."""
    c = tables.selection.c
    row = (
        await conn.execute(
            select(tables.selection).where(
                c.book_id == book, c.pack == key[0], c.rule == key[1], c.period == key[2]
            )
        )
    ).first()
    return None if row is None else _selection(row)


async def list_selections(
    conn: AsyncConnection, *, books: range, limit: int = 100
) -> list[Selection]:
    """Return the lists of some counties, newest first."""
    c = tables.selection.c
    rows = await conn.execute(
        select(tables.selection)
        .where(c.book_id >= books.start, c.book_id < books.stop)
        .order_by(c.listed_at.desc(), c.book_id, c.id.desc())
        .limit(limit)
    )
    return [_selection(row) for row in rows]


async def list_undecided(
    conn: AsyncConnection, *, book: int
) -> dict[tuple[str, str, str], Selection]:
    """Return the lists of a book of which nothing came yet, by pack, rule and period."""
    c, a = tables.selection.c, tables.selection_act.c
    rows = await conn.execute(
        select(tables.selection)
        .where(
            c.book_id == book,
            ~select(a.at)
            .where(a.book_id == c.book_id, a.selection == c.id, a.act == _DECIDED)
            .exists(),
        )
        .order_by(c.id)
    )
    return {found.key: found for found in map(_selection, rows)}


async def list_keys(conn: AsyncConnection, *, book: int) -> set[tuple[str, str, str]]:
    """Return of which pack, rule and period there is a list, decided or not."""
    c = tables.selection.c
    rows = await conn.execute(select(c.pack, c.rule, c.period).where(c.book_id == book))
    return {(pack, rule, period) for pack, rule, period in rows}


async def list_lots(conn: AsyncConnection, *, book: int, number: int) -> list[Lot]:
    """Return a list's lots, in order."""
    c = tables.selection_lot.c
    rows = await conn.execute(
        select(tables.selection_lot).where(c.book_id == book, c.selection == number).order_by(c.lot)
    )
    return [_lot(row) for row in rows]


async def list_names(conn: AsyncConnection, *, book: int, number: int) -> dict[int, bytes]:
    """Return the names of those on a list, by lot, for `Seal.open`; who has none is left out."""
    o, v, p = tables.selection_lot.c, tables.volunteer.c, tables.person.c
    rows = await conn.execute(
        select(o.lot, p.name_sealed)
        .join_from(
            tables.selection_lot,
            tables.volunteer,
            (v.book_id == o.book_id) & (v.id == o.volunteer),
        )
        .join(tables.person, p.id == v.person_id)
        .where(o.book_id == book, o.selection == number, p.name_sealed.is_not(None))
    )
    return {lot: name for lot, name in rows}  # noqa: C416 not pairs to mypy


async def list_of_member(conn: AsyncConnection, *, member: UUID) -> list[Selection]:
    """Return the lists on whose panels somebody sits, newest first."""
    c, m = tables.selection.c, tables.selection_member.c
    rows = await conn.execute(
        select(tables.selection)
        .join_from(
            tables.selection,
            tables.selection_member,
            (m.book_id == c.book_id) & (m.selection == c.id),
        )
        .where(m.member == member)
        .order_by(c.listed_at.desc())
    )
    return [_selection(row) for row in rows]


async def count_lots(conn: AsyncConnection, *, book: int, numbers: Iterable[int]) -> dict[int, int]:
    """Return how many lots each of some lists of a book has."""
    o = tables.selection_lot.c
    rows = await conn.execute(
        select(o.selection, func.count())
        .where(o.book_id == book, o.selection.in_(list(numbers)))
        .group_by(o.selection)
    )
    return {number: count for number, count in rows}  # noqa: C416 not pairs to mypy


async def insert_panel(conn: AsyncConnection, *, book: int, number: int, panel: Panel) -> None:
    """Keep who decides, until when, and on whom they may not vote."""
    await _insert_act(
        conn,
        book=book,
        number=number,
        act=_CONVENED,
        person=panel.convened_by,
        at=panel.convened_at,
        closes_at=panel.closes_at,
    )
    within = {"book_id": book, "selection": number}
    await conn.execute(
        insert(tables.selection_member), [within | {"member": each} for each in panel.members]
    )
    if panel.ties:
        await conn.execute(
            insert(tables.selection_tie),
            [
                within | {"member": member, "lot": lot, "tie": tie.value}
                for (member, lot), tie in panel.ties.items()
            ],
        )


async def find_panel(conn: AsyncConnection, *, book: int, number: int) -> Panel | None:
    """Return who decides about a list, or None where no panel was convened."""
    a, m, t = tables.selection_act.c, tables.selection_member.c, tables.selection_tie.c
    act = (
        await conn.execute(
            select(a.person, a.at, a.closes_at).where(
                a.book_id == book, a.selection == number, a.act == _CONVENED
            )
        )
    ).first()
    if act is None:
        return None
    members = await conn.scalars(
        select(m.member).where(m.book_id == book, m.selection == number).order_by(m.member)
    )
    ties = await conn.execute(
        select(t.member, t.lot, t.tie).where(t.book_id == book, t.selection == number)
    )
    return Panel(
        members=tuple(members),
        closes_at=act.closes_at,
        convened_at=act.at,
        convened_by=act.person,
        ties={(member, lot): Tie(tie) for member, lot, tie in ties},
    )


async def append_votes(
    conn: AsyncConnection, *, book: int, number: int, votes: Sequence[Vote]
) -> None:
    """Add votes. The caller holds the book's lock, which orders them."""
    c = tables.selection_vote.c
    last = await conn.scalar(
        select(func.coalesce(func.max(c.number), 0)).where(c.book_id == book, c.selection == number)
    )
    await conn.execute(
        insert(tables.selection_vote),
        [
            {
                "book_id": book,
                "selection": number,
                "number": (last or 0) + place,
                "member": vote.member,
                "lot": vote.lot,
                "choice": vote.choice.value,
                "note": vote.note,
                "at": vote.at,
            }
            for place, vote in enumerate(votes, start=1)
        ],
    )


async def list_votes(conn: AsyncConnection, *, book: int, number: int) -> list[Vote]:
    """Return every vote, in the order in which they were cast."""
    c = tables.selection_vote.c
    rows = await conn.execute(
        select(c.member, c.lot, c.choice, c.note, c.at)
        .where(c.book_id == book, c.selection == number)
        .order_by(c.number)
    )
    return [Vote(member, lot, Choice(choice), note, at) for member, lot, choice, note, at in rows]


async def insert_decision(
    conn: AsyncConnection,
    *,
    book: int,
    number: int,
    results: Iterable[LotResult],
    seed: tuple[str, int] | None,
    person: UUID | None,
    now: datetime,
) -> None:
    """Keep what became of a list; `seed` is a root and the entries under it. Of a list once."""
    await _insert_act(
        conn,
        book=book,
        number=number,
        act=_DECIDED,
        person=person,
        at=now,
        seed=None if seed is None else seed[0],
        seed_size=None if seed is None else seed[1],
    )
    await conn.execute(
        insert(tables.selection_result),
        [
            {
                "book_id": book,
                "selection": number,
                "lot": each.lot,
                "place": each.place,
                "outcome": each.outcome.value,
                "votes_for": each.votes_for,
                "votes_against": each.votes_against,
                "entitled": each.entitled,
            }
            for each in results
        ],
    )


async def find_decision(
    conn: AsyncConnection, *, book: int, number: int
) -> tuple[datetime, tuple[str, int] | None] | None:
    """Return when a list was decided and by which seed; None where it was not."""
    a = tables.selection_act.c
    row = (
        await conn.execute(
            select(a.at, a.seed, a.seed_size).where(
                a.book_id == book, a.selection == number, a.act == _DECIDED
            )
        )
    ).first()
    if row is None:
        return None
    return row.at, None if row.seed is None else (row.seed, row.seed_size)


async def list_results(conn: AsyncConnection, *, book: int, number: int) -> list[LotResult]:
    """Return what became of the lots of a list, by lot; empty where it was not decided."""
    c = tables.selection_result.c
    rows = await conn.execute(
        select(c.lot, c.place, c.outcome, c.votes_for, c.votes_against, c.entitled)
        .where(c.book_id == book, c.selection == number)
        .order_by(c.lot)
    )
    return [
        LotResult(
            lot=row.lot,
            place=row.place,
            outcome=Outcome(row.outcome),
            votes_for=row.votes_for,
            votes_against=row.votes_against,
            entitled=row.entitled,
        )
        for row in rows
    ]


async def list_own_lots(
    conn: AsyncConnection, *, book: int, volunteer: int
) -> list[tuple[Selection, Lot, LotResult | None]]:
    """Return the lists that a volunteer is on, newest first, with what became of their lot."""
    s, o, r = tables.selection.c, tables.selection_lot.c, tables.selection_result.c
    rows = await conn.execute(
        select(
            tables.selection,
            o.lot,
            o.volunteer,
            o.division,
            o.secret,
            o.commitment,
            o.reasons,
            r.place,
            r.outcome,
            r.votes_for,
            r.votes_against,
            r.entitled,
        )
        .join_from(
            tables.selection_lot, tables.selection, (s.book_id == o.book_id) & (s.id == o.selection)
        )
        .outerjoin(
            tables.selection_result,
            (r.book_id == o.book_id) & (r.selection == o.selection) & (r.lot == o.lot),
        )
        .where(o.book_id == book, o.volunteer == volunteer)
        .order_by(s.id.desc())
    )
    return [
        (
            _selection(row),
            _lot(row),
            None
            if row.outcome is None
            else LotResult(
                lot=row.lot,
                place=row.place,
                outcome=Outcome(row.outcome),
                votes_for=row.votes_for,
                votes_against=row.votes_against,
                entitled=row.entitled,
            ),
        )
        for row in rows
    ]


async def _insert_act(
    conn: AsyncConnection,
    *,
    book: int,
    number: int,
    act: str,
    person: UUID | None,
    at: datetime,
    **values: object,
) -> None:
    await conn.execute(
        insert(tables.selection_act).values(
            book_id=book, selection=number, act=act, person=person, at=at, **values
        )
    )


def _selection(row: Row[Any]) -> Selection:
    places: Mapping[str, int] = json.loads(row.places)
    return Selection(
        book=row.book_id,
        id=row.id,
        mode=Mode(row.mode),
        pack=row.pack,
        pack_hash=row.pack_hash,
        rule=row.rule,
        period=row.period,
        run=row.run,
        as_of=row.as_of,
        decided_on=row.decided_on,
        root=row.root,
        places={int(division): count for division, count in places.items()},
        ready_at=row.ready_at,
        digest=row.digest,
        listed_at=row.listed_at,
        listed_by=row.listed_by,
    )


def _lot(row: Row[Any]) -> Lot:
    return Lot(
        number=row.lot,
        volunteer=row.volunteer,
        division=row.division,
        secret=row.secret,
        commitment=row.commitment,
        reasons=row.reasons,
    )
