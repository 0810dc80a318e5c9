"""A partner redeems a voucher, once; a mistake is taken back on the same day."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.actor import Act, Actor, PartnerId, VolunteerId
from timebank.domain.entitlement import Standing, State, StepKind
from timebank.domain.partner import Partner, ReturnRefusal, ReturnRefused
from timebank.domain.period import local_day
from timebank.domain.posting import Posted
from timebank.domain.transfer import AccountKind, Transfer, TransferKind, service_key
from timebank.domain.voucher import (
    TRIES_MAX,
    TRIES_SPAN,
    Redeemed,
    RedemptionRefusal,
    RedemptionRefused,
    Voucher,
    read_voucher_code,
    read_voucher_digits,
)
from timebank.ledger import accounts, entitlements, journal
from timebank.ledger.journal import Head
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.store import partners, volunteers


async def redeem_voucher(
    db: Database,
    *,
    actor: Actor,
    text: str,
    is_typed: bool,
    master_key: bytes,
    now: datetime,
) -> Redeemed | RedemptionRefused:
    """Redeem the use that a code or typed digits name; the same use is redeemed once.

    Two partners who read the same code at the same second both get here; the book's lock lets one
    be first, and the other is told when and where it was redeemed.

    Raises:
        NotPermittedError: The actor is no partner.
    """
    shop = _shop_of(actor)
    voucher = (
        await _typed(db, shop, text, master_key=master_key, now=now)
        if is_typed
        else read_voucher_code(text, master_key=master_key, now=now)
    )
    if isinstance(voucher, RedemptionRefusal):
        return RedemptionRefused(voucher)
    if voucher.book != shop.book:
        return RedemptionRefused(RedemptionRefusal.OTHER_COUNTY)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=voucher.book)
        found = await entitlements.list_standings(
            conn, book=voucher.book, ids=[voucher.entitlement]
        )
        partner = await partners.find_partner(conn, partner=shop)
        if head is None or partner is None or partner.ended_at is not None:
            raise NotPermittedError
        if not found:
            return RedemptionRefused(RedemptionRefusal.UNKNOWN)
        (standing,) = found

        refusal = await _refusal(conn, head, partner, standing, voucher, actor=actor, now=now)

        if refusal is not None:
            return refusal
        seq = await _use(conn, head, partner, standing, voucher, actor=actor, now=now)
    return Redeemed(voucher, seq, standing.left)


async def return_use(
    db: Database, *, actor: Actor, entitlement: int, use: int, now: datetime
) -> Standing | ReturnRefused:
    """Take a redemption back, by the partner who made it and on the same day only.

    Raises:
        NotPermittedError: The actor is no partner.
        NotFoundError: There was no such use.
    """
    shop = _shop_of(actor)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=shop.book)
        found = await entitlements.list_standings(conn, book=shop.book, ids=[entitlement])
        made = await entitlements.find_use(conn, book=shop.book, entitlement=entitlement, use=use)
        if head is None or not found or made is None:
            raise NotFoundError
        (standing,) = found
        zone = ZoneInfo(head.zone)
        if made.partner != shop.id:
            return ReturnRefused(ReturnRefusal.NOT_YOURS)
        if local_day(made.at, zone=zone) != local_day(now, zone=zone):
            return ReturnRefused(ReturnRefusal.TOO_LATE)
        if standing.state not in (State.ISSUED, State.SPENT, State.QUESTIONED):
            return ReturnRefused(ReturnRefusal.ENDED)
        held, own = await _accounts(conn, head, standing, shop, now=now)
        (outcome,) = await journal.append(
            conn,
            head=head,
            transfers=[
                Transfer(
                    key=service_key(made.at, "return", head.book, entitlement, use),
                    kind=TransferKind.RETURN,
                    unit=standing.of.unit,
                    debit=own,
                    credit=held,
                    amount=made.amount,
                    effective_at=made.at,
                    volunteer=standing.of.volunteer,
                )
            ],
            now=now,
        )
        if not isinstance(outcome, Posted):
            return ReturnRefused(ReturnRefusal.ALREADY_RETURNED)
        standing.take(
            StepKind.RETURNED,
            at=now,
            person=actor.person,
            seq=outcome.seq,
            amount=made.amount,
            partner=shop.id,
            note=str(use),
        )
        await entitlements.write_steps(conn, book=head.book, standings=[standing])
    return standing


async def _typed(
    db: Database, shop: PartnerId, text: str, *, master_key: bytes, now: datetime
) -> Voucher | RedemptionRefusal:
    """Return the use that typed digits name; after too many wrong ones, nothing is tried."""
    async with db.write() as conn:
        # The partner's lock counts guesses that come at once one after the other.
        if await partners.lock_partner(conn, partner=shop) is None:
            raise NotFoundError
        tries = await partners.find_tries(conn, partner=shop)
        count = 0 if tries is None or now - tries.counted_from >= TRIES_SPAN else tries.count
        if count >= TRIES_MAX:
            return RedemptionRefusal.TOO_MANY_TRIES

        voucher = read_voucher_digits(text, book=shop.book, master_key=master_key, now=now)

        if voucher is RedemptionRefusal.WRONG_DIGITS:
            since = tries.counted_from if tries is not None and count else now
            await partners.set_tries(conn, partner=shop, counted_from=since, count=count + 1)
        # Right digits forgive nothing: who knows some of their own could guess others' between.
    return voucher


async def _refusal(
    conn: AsyncConnection,
    head: Head,
    partner: Partner,
    standing: Standing,
    voucher: Voucher,
    *,
    actor: Actor,
    now: datetime,
) -> RedemptionRefused | None:
    today = local_day(now, zone=ZoneInfo(head.zone))
    prices = await partners.list_prices(conn, book=head.book, on=today, partner=partner.id.id)
    item = await accounts.find_unit_code(conn, unit=standing.of.unit)
    volunteer = VolunteerId(head.book, standing.of.volunteer)
    persons = await volunteers.persons_of(conn, volunteers=[volunteer])
    if (partner.id.id, item) not in prices:
        return RedemptionRefused(RedemptionRefusal.NOT_ACCEPTED)
    if persons.get(volunteer) == actor.person:
        return RedemptionRefused(RedemptionRefusal.OWN_VOUCHER)
    if voucher.use <= standing.uses:
        made = await entitlements.find_use(
            conn, book=head.book, entitlement=standing.of.id, use=voucher.use
        )
        return RedemptionRefused(
            RedemptionRefusal.ALREADY_REDEEMED,
            None if made is None else made.at,
            None if made is None else made.partner,
        )
    if standing.state in (State.REVOKED, State.CARRIED):
        return RedemptionRefused(RedemptionRefusal.REVOKED)
    if standing.state is State.QUESTIONED:
        return RedemptionRefused(RedemptionRefusal.QUESTIONED)
    if standing.state is State.EXPIRED or (
        standing.expires_on is not None and standing.expires_on < today
    ):
        return RedemptionRefused(RedemptionRefusal.EXPIRED)
    if standing.state is not State.ISSUED or standing.left < 1:
        return RedemptionRefused(RedemptionRefusal.NOTHING_LEFT)
    return None


async def _use(
    conn: AsyncConnection,
    head: Head,
    partner: Partner,
    standing: Standing,
    voucher: Voucher,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    held, own = await _accounts(conn, head, standing, partner.id, now=now)
    (outcome,) = await journal.append(
        conn,
        head=head,
        transfers=[
            Transfer(
                # Without the time: the same use is the same deed, whenever it is asked for.
                key=service_key(
                    standing.of.proposed_at, "use", head.book, voucher.entitlement, voucher.use
                ),
                kind=TransferKind.USE,
                unit=standing.of.unit,
                debit=held,
                credit=own,
                amount=1,
                effective_at=now,
                volunteer=standing.of.volunteer,
            )
        ],
        now=now,
    )
    if not isinstance(outcome, Posted):
        raise AssertionError(f"a use of what is left was refused: {outcome}")
    standing.take(
        StepKind.USED,
        at=now,
        person=actor.person,
        seq=outcome.seq,
        amount=1,
        partner=partner.id.id,
    )
    await entitlements.write_steps(conn, book=head.book, standings=[standing])
    return outcome.seq


async def _accounts(
    conn: AsyncConnection, head: Head, standing: Standing, shop: PartnerId, *, now: datetime
) -> tuple[int, int]:
    """Return the volunteer's account and the partner's, of the unit of a grant."""
    unit, volunteer = standing.of.unit, standing.of.volunteer
    held = await accounts.find_accounts(
        conn, book=head.book, unit=unit, kind=AccountKind.VOLUNTEER, owners=[volunteer]
    )
    own = await accounts.ensure_accounts(
        conn,
        head=head,
        unit=unit,
        kind=AccountKind.PARTNER,
        owners=[shop.id],
        now=now,
        is_debit_bounded=True,
    )
    return held[volunteer], own[shop.id]


def _shop_of(actor: Actor) -> PartnerId:
    if not actor.may(Act.REDEEM_VOUCHERS) or actor.partner is None:
        raise NotPermittedError
    return actor.partner
