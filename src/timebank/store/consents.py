"""Who may act for whom, and what they did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.helping import Consent, ConsentForm, HelpScope, NewConsent
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class HelpedAct:
    """Something a helper did.

    Attributes:
        act: `sign_up`, `withdraw` or `look_up`.
        shift_book: None for a look-up, and so is `shift`.
    """

    consent: int
    at: datetime
    act: str
    shift_book: int | None
    shift: int | None


async def insert_consent(
    conn: AsyncConnection,
    *,
    number: int,
    consent: NewConsent,
    helper: UUID,
    by: UUID,
    now: datetime,
) -> None:
    """Record consent."""
    await conn.execute(
        insert(tables.consent).values(
            book_id=consent.volunteer.book,
            id=number,
            volunteer_id=consent.volunteer.id,
            helper=helper,
            may_sign_up=HelpScope.SIGN_UP in consent.scopes,
            may_see_records=HelpScope.SEE_RECORDS in consent.scopes,
            until_on=consent.until_on,
            form=consent.form.value,
            given_at=now,
            recorded_by=by,
        )
    )


async def find_locked_consent(conn: AsyncConnection, *, book: int, number: int) -> Consent | None:
    """Return consent by its number, locked until the transaction ends, or None."""
    c = tables.consent.c
    row = (
        await conn.execute(
            select(tables.consent).where(c.book_id == book, c.id == number).with_for_update()
        )
    ).first()
    return None if row is None else _consent(row)


async def set_revoked(conn: AsyncConnection, *, consent: Consent, by: UUID, now: datetime) -> None:
    """Record that consent was taken back."""
    c = tables.consent.c
    await conn.execute(
        update(tables.consent)
        .where(c.book_id == consent.volunteer.book, c.id == consent.number, c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=by)
    )


async def list_of_volunteer(conn: AsyncConnection, *, volunteer: VolunteerId) -> list[Consent]:
    """Return every consent that a volunteer gave, newest first."""
    c = tables.consent.c
    return await _list(
        conn, _newest().where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
    )


async def list_of_helper(conn: AsyncConnection, *, helper: UUID) -> list[Consent]:
    """Return every consent that somebody holds, newest first."""
    return await _list(conn, _newest().where(tables.consent.c.helper == helper))


async def list_recorded(conn: AsyncConnection, *, by: UUID, limit: int = 50) -> list[Consent]:
    """Return what somebody recorded from paper, newest first."""
    c = tables.consent.c
    return await _list(
        conn,
        _newest().where(c.recorded_by == by, c.form == ConsentForm.SIGNED.value).limit(limit),
    )


async def insert_act(
    conn: AsyncConnection,
    *,
    consent: Consent,
    act: str,
    shift: tuple[int, int] | None,
    now: datetime,
) -> None:
    """Write down what a helper did, for the volunteer to read."""
    await conn.execute(
        insert(tables.helped_act).values(
            book_id=consent.volunteer.book,
            id=uuid4(),
            consent_id=consent.number,
            at=now,
            act=act,
            shift_book=None if shift is None else shift[0],
            shift_id=None if shift is None else shift[1],
        )
    )


async def list_acts(
    conn: AsyncConnection, *, book: int, consents: Sequence[int], limit: int = 20
) -> list[HelpedAct]:
    """Return the newest things that were done under consents, newest first."""
    c = tables.helped_act.c
    rows = await conn.execute(
        select(c.consent_id, c.at, c.act, c.shift_book, c.shift_id)
        .where(c.book_id == book, c.consent_id.in_(consents))
        .order_by(c.at.desc(), c.id)
        .limit(limit)
    )
    return [HelpedAct(*row) for row in rows]


def _newest() -> Select[Any]:
    c = tables.consent.c
    return select(tables.consent).order_by(c.given_at.desc(), c.id.desc())


async def _list(conn: AsyncConnection, query: Select[Any]) -> list[Consent]:
    return [_consent(row) for row in await conn.execute(query)]


def _consent(row: Row[Any]) -> Consent:
    scopes = {
        HelpScope.SIGN_UP: row.may_sign_up,
        HelpScope.SEE_RECORDS: row.may_see_records,
    }
    return Consent(
        volunteer=VolunteerId(row.book_id, row.volunteer_id),
        number=row.id,
        helper=row.helper,
        scopes=frozenset(scope for scope, is_given in scopes.items() if is_given),
        until_on=row.until_on,
        form=ConsentForm(row.form),
        given_at=row.given_at,
        recorded_by=row.recorded_by,
        revoked_at=row.revoked_at,
    )
