"""What is on its way between two books, and what has arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.moving import ServedMonth
from timebank.domain.posting import Entry
from timebank.ledger import tables
from timebank.ledger.journal import TRANSFER_COLUMNS, read_transfer

_MONTHS = text(
    """
    select served_book, month, assurance, measured,
        sum(minutes)::bigint, sum(services)::int
    from (
        select book_id as served_book, month, assurance, measured, minutes, services
        from volunteer_month where book_id = :book and volunteer = :volunteer
        union all
        select served_book, month, assurance, measured, minutes, services
        from opening_month where book_id = :book and volunteer = :volunteer
    ) each
    group by 1, 2, 3, 4 having sum(minutes) <> 0 order by 1, 2, 3, 4
    """
)

_LEFT_BEHIND = text(
    """
    select distinct a.book_id, a.owner
    from carriage c
    join volunteer v on v.book_id = c.book_id and v.id = c.volunteer and v.ended_at is not null
    join account a on a.book_id = c.book_id and a.owner = c.volunteer and a.kind in (2, 5)
    join lateral (
        select debits, credits from account_state s
        where s.book_id = a.book_id and s.account = a.id order by batch desc limit 1
    ) s on s.debits <> s.credits
    order by 1, 2
    """
)

_GRANTS = """
    insert into carried_grant (
        book_id, volunteer, granted_book, granted_seq, pack, rule, tier, period, effective_at,
        recorded_at, count, reasons, is_standing
    )
    select :to_book, :to_volunteer, granted_book, granted_seq, pack, rule, tier, period,
        effective_at, recorded_at, count, reasons, is_standing
    from (
        select d.book_id as granted_book, d.seq as granted_seq, d.pack, d.rule, d.tier, d.period,
            t.effective_at, t.recorded_at, t.amount as count, d.reasons,
            not exists (
                select from transfer r where r.book_id = d.book_id and r.reverses = d.seq
            ) as is_standing
        from decision d join transfer t on t.book_id = d.book_id and t.seq = d.seq
        where d.book_id = :book and d.volunteer = :volunteer
        union all
        select granted_book, granted_seq, pack, rule, tier, period, effective_at, recorded_at,
            count, reasons, is_standing
        from carried_grant where book_id = :book and volunteer = :volunteer
    ) each
    where granted_book <> :to_book
    on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Carriage:
    """Entries of one book that another one must take.

    Attributes:
        number: From 1 for each volunteer of the book that is left.
        to_volunteer: Who they are there; None before they arrived.
        village: The new home; None for what came to light after the move.
        last_seq: Below `first_seq` where nothing was carried.
        arrived_at: None until the other book has it all.
    """

    volunteer: VolunteerId
    number: int
    to_book: int
    to_volunteer: int | None
    village: int | None
    first_seq: int
    last_seq: int
    left_at: datetime
    arrived_at: datetime | None

    @property
    def arrived(self) -> VolunteerId | None:
        """Who they are in the other book, or None."""
        return None if self.to_volunteer is None else VolunteerId(self.to_book, self.to_volunteer)


async def list_months(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[ServedMonth]:
    """Return what a volunteer has served and brought and not taken away, by month and evidence."""
    rows = await conn.execute(_MONTHS, {"book": volunteer.book, "volunteer": volunteer.id})
    return [ServedMonth(*row) for row in rows]


async def append_months(
    conn: AsyncConnection, *, volunteer: VolunteerId, months: Mapping[int, Sequence[ServedMonth]]
) -> None:
    """Keep which months an entry brought, or took away, by its `seq`."""
    rows = [
        {"book_id": volunteer.book, "volunteer": volunteer.id, "seq": seq, **each._asdict()}
        for seq, chosen in months.items()
        for each in chosen
    ]
    if rows:
        await conn.execute(tables.opening_month.insert(), rows)


async def list_carried_months(
    conn: AsyncConnection, *, carriage: Carriage
) -> dict[int, list[ServedMonth]]:
    """Return which months the entries of a carriage took away, by `seq`."""
    o = tables.opening_month.c
    rows = await conn.execute(
        select(o.seq, *(o[name] for name in ServedMonth._fields)).where(
            o.book_id == carriage.volunteer.book,
            o.volunteer == carriage.volunteer.id,
            o.seq.between(carriage.first_seq, carriage.last_seq),
        )
    )
    found: dict[int, list[ServedMonth]] = {}
    for seq, *month in rows:
        found.setdefault(seq, []).append(ServedMonth(*month))
    return found


async def list_carried_entries(conn: AsyncConnection, *, carriage: Carriage) -> list[Entry]:
    """Return the entries of a carriage in the book that is left, in their order."""
    t = tables.transfer.c
    rows = await conn.execute(
        select(t.seq, *(t[name] for name in TRANSFER_COLUMNS))
        .where(
            t.book_id == carriage.volunteer.book,
            t.seq.between(carriage.first_seq, carriage.last_seq),
        )
        .order_by(t.seq)
    )
    return [Entry(row["seq"], read_transfer(row)) for row in rows.mappings()]


async def insert_carriage(conn: AsyncConnection, *, carriage: Carriage) -> None:
    """Keep what is on its way, in the commit that sends it."""
    await conn.execute(
        insert(tables.carriage).values(
            book_id=carriage.volunteer.book,
            volunteer=carriage.volunteer.id,
            number=carriage.number,
            to_book=carriage.to_book,
            to_volunteer=carriage.to_volunteer,
            village=carriage.village,
            first_seq=carriage.first_seq,
            last_seq=carriage.last_seq,
            left_at=carriage.left_at,
        )
    )


async def list_carriages(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[Carriage]:
    """Return all that ever left a book for a volunteer, oldest first, locked for this transaction.

    Whoever completes the same carriage waits.
    """
    c = tables.carriage.c
    rows = await conn.execute(
        select(tables.carriage)
        .where(c.book_id == volunteer.book, c.volunteer == volunteer.id)
        .order_by(c.number)
        .with_for_update()
    )
    return [_carriage(row) for row in rows]


async def set_arrived(
    conn: AsyncConnection, *, carriage: Carriage, to_volunteer: int, now: datetime
) -> None:
    """Record that the other book has all of a carriage, in the commit that took it."""
    c = tables.carriage.c
    await conn.execute(
        update(tables.carriage)
        .where(
            c.book_id == carriage.volunteer.book,
            c.volunteer == carriage.volunteer.id,
            c.number == carriage.number,
        )
        .values(arrived_at=now, to_volunteer=to_volunteer)
    )


async def list_under_way(conn: AsyncConnection) -> list[VolunteerId]:
    """Return whose carriages have not arrived, those that left first first."""
    c = tables.carriage.c
    rows = await conn.execute(
        select(c.book_id, c.volunteer, func.min(c.left_at))
        .where(c.arrived_at.is_(None))
        .group_by(c.book_id, c.volunteer)
        .order_by(func.min(c.left_at), c.book_id, c.volunteer)
    )
    return [VolunteerId(row[0], row[1]) for row in rows]


async def list_left_behind(conn: AsyncConnection) -> list[VolunteerId]:
    """Return who moved away and holds, or lacks, something in the book that they left.

    Cost: one statement; its work grows with everybody who ever moved.
    """
    rows = await conn.execute(_LEFT_BEHIND)
    return [VolunteerId(*row) for row in rows]


async def copy_grants(conn: AsyncConnection, *, volunteer: VolunteerId, to: VolunteerId) -> None:
    """Tell the other book what was granted to a volunteer, so that nothing is granted twice."""
    await conn.execute(
        text(_GRANTS).bindparams(
            bindparam("to_book", to.book),
            bindparam("to_volunteer", to.id),
            bindparam("book", volunteer.book),
            bindparam("volunteer", volunteer.id),
        )
    )


def _carriage(row: "Row[*tuple[object, ...]]") -> Carriage:
    values = row._asdict()
    volunteer = VolunteerId(values.pop("book_id"), values.pop("volunteer"))
    return Carriage(volunteer=volunteer, **values)
