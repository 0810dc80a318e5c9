"""The demo's benefits: shops that redeem, and what its volunteer holds and waits for.

The volunteer's own are granted by the rules of the county wherever they meet them; beside those
stands a welcome of the demo, so that there is a voucher to show on the first day.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.entitlement import Entitlement, Standing, StepKind, Terms
from timebank.domain.partner import Partner
from timebank.domain.period import local_day
from timebank.domain.pool import WhenOut
from timebank.domain.region import Level
from timebank.ledger import accounts, entitlements, journal
from timebank.services import partnering, pools
from timebank.services.errors import NotFoundError
from timebank.services.founding import ZONE
from timebank.services.issuing import issue
from timebank.services.pools import NewPool
from timebank.store import numbering
from timebank.store.seal import Seal

_PACK = "demo.welcome"
_FILM, _BREAKFAST = "pass:film", "goods:爱心早餐"
_SHOPS = (
    ("海盐影城（演示）", "武原街道新桥路", ((_FILM, 2_500),)),
    ("长者食堂（演示）", "海沙社区", ((_BREAKFAST, 600), (_FILM, 2_500))),
)
_POOL = "demo/breakfasts"
_BREAKFASTS = 500
_VALID = timedelta(days=60)


async def open_benefits(
    db: Database,
    *,
    seal: Seal,
    book: int,
    volunteer: VolunteerId,
    partner_phone: str,
    now: datetime,
) -> None:
    """Open the demo's shops, its stock of breakfasts and its volunteer's welcome; run again, none.

    Raises:
        NotFoundError: The county has no book.
    """
    today = local_day(now, zone=ZoneInfo(ZONE))
    for place, (name, address, takes) in enumerate(_SHOPS):
        partner = await partnering.open_partner(
            db,
            seal=seal,
            actor=None,
            book=book,
            name=name,
            address=address,
            # The first is whom one can sign in as.
            phone=partner_phone if place == 0 else f"1390000000{place}",
            now=now,
        )
        if not isinstance(partner, Partner):
            raise AssertionError(f"the demo's own shop was refused: {partner}")
        for item, fen in takes:
            await partnering.set_price(
                db,
                actor=None,
                partner=partner.id,
                item=item,
                from_on=date(today.year, 1, 1),
                fen_each=fen,
                now=now,
            )
    await pools.open_pool(
        db,
        actor=None,
        book=book,
        new=NewPool(
            code=_POOL,
            title="爱心早餐（演示）",
            title_en="Breakfasts (demo)",
            owner="海沙社区",
            unit=_BREAKFAST,
            when_out=WhenOut.QUEUE,
            from_on=date(today.year, 1, 1),
            until_on=None,
            amount=_BREAKFASTS,
        ),
        now=now,
    )
    await _welcome(db, book=book, volunteer=volunteer, today=today, now=now)


async def _welcome(
    db: Database, *, book: int, volunteer: VolunteerId, today: date, now: datetime
) -> None:
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        if head is None:
            raise NotFoundError
        units = await accounts.register_units(conn, codes=[_FILM, _BREAKFAST])
        known = await pools.find_by_code(conn, book=book, code=_POOL)
        wanted = [(_FILM, 4, None), (_BREAKFAST, 10, None if known is None else known.id)]
        ids = await numbering.take_numbers(conn, book=book, noun="entitlement", count=len(wanted))
        made = [
            Entitlement(
                book=book,
                id=number,
                volunteer=volunteer.id,
                pack=_PACK,
                pack_hash="",
                rule=item.partition(":")[2],
                tier=0,
                period=f"{today.year:04}",
                source="",
                unit=units[item],
                amount=count,
                decided_on=today,
                expires_on=today + _VALID,
                terms=Terms(office=Level.COUNTY),
                pool=pool,
                run=None,
                reasons="[]",
                proposed_at=now,
                proposed_by=None,
            )
            for number, (item, count, pool) in zip(ids, wanted, strict=True)
        ]
        added = await entitlements.insert_entitlements(conn, book=book, entitlements=made)
        standings = [
            Standing(each, expires_on=each.expires_on) for each in made if each.id in added
        ]
        for standing in standings:
            standing.take(StepKind.PROPOSED, at=now, person=None)
        await issue(conn, head=head, standings=standings, person=None, now=now)
