"""The office takes partners on, says what they take, and pays them for it."""

from datetime import date, datetime

from timebank.db import Database
from timebank.domain.actor import Act, Actor, PartnerId, Role
from timebank.domain.partner import (
    ADDRESS_LENGTH_MAX,
    FEN_EACH_MAX,
    NAME_LENGTH_MAX,
    Partner,
    PartnerRefusal,
    PartnerRefused,
)
from timebank.domain.phone import parse_phone
from timebank.domain.region import county_code
from timebank.domain.writing import cleaned_line
from timebank.services import enrolment
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import audit_events, numbering, partners
from timebank.store.seal import Seal


async def open_partner(
    db: Database,
    *,
    seal: Seal,
    actor: Actor | None,
    book: int,
    name: str,
    address: str,
    phone: str,
    now: datetime,
) -> Partner | PartnerRefused:
    """Take a partner on; whoever has the phone number may sign in and redeem for it.

    A partner that is known by its name stays as it is, and gets one more person.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: The county is not the actor's.
    """
    _check(actor, book=book)
    name, address = cleaned_line(name), cleaned_line(address)
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        return PartnerRefused(PartnerRefusal.NAME_LENGTH)
    if not 1 <= len(address) <= ADDRESS_LENGTH_MAX:
        return PartnerRefused(PartnerRefusal.ADDRESS_LENGTH)
    number = parse_phone(phone)
    if number is None:
        return PartnerRefused(PartnerRefusal.PHONE_MALFORMED)
    by = None if actor is None else actor.person
    async with db.write() as conn:
        partner = await partners.find_by_name(conn, book=book, name=name)
        if partner is None:
            (found,) = await numbering.take_numbers(conn, book=book, noun="partner")
            partner = Partner(id=PartnerId(book, found), name=name, address=address, ended_at=None)
            await partners.insert_partner(conn, partner=partner, now=now)
            await audit_events.insert_audit_events(
                conn, at=now, person=by, act="open_partner", subjects=[f"partner/{book}/{found}"]
            )
    person = await enrolment.ensure_person(db, seal=seal, phone=number, name=None, now=now)
    await enrolment.appoint(
        db, person=person, role=Role.PARTNER, partner=partner.id, by=by, now=now
    )
    return partner


async def set_price(
    db: Database,
    *,
    actor: Actor | None,
    partner: PartnerId,
    item: str,
    from_on: date,
    fen_each: int | None,
    now: datetime,
) -> Partner | PartnerRefused:
    """Say what a partner is paid for an item from a day on; None: it is not taken any more.

    Raises:
        NotPermittedError: The actor is no officer.
        NotFoundError: There is no such partner in the actor's county.
    """
    _check(actor, book=partner.book)
    if fen_each is not None and not 0 <= fen_each <= FEN_EACH_MAX:
        return PartnerRefused(PartnerRefusal.PRICE_OUT_OF_RANGE)
    async with db.write() as conn:
        found = await partners.find_partner(conn, partner=partner)
        if found is None:
            raise NotFoundError
        if ":" not in item:
            return PartnerRefused(PartnerRefusal.ITEM_UNKNOWN)
        is_new = await partners.set_price(
            conn, partner=partner, item=item, from_on=from_on, fen_each=fen_each, now=now
        )
        if not is_new:
            return found
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=None if actor is None else actor.person,
            act="set_partner_price",
            subjects=[f"partner/{partner.book}/{partner.id}/{item}"],
        )
    return found


def _check(actor: Actor | None, *, book: int) -> None:
    if actor is None:
        return
    if not actor.may(Act.RUN_POLICIES):
        raise NotPermittedError
    if actor.scope is None or not actor.scope.covers(county_code(book)):
        raise NotFoundError
