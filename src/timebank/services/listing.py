"""A run fixes who is drawn from or voted on, and makes the list's digest known."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.period import day_start, local_day
from timebank.domain.selecting import (
    Lot,
    Mode,
    Selection,
    commitment_of,
    digest_of,
    list_document,
    ready_on,
)
from timebank.ledger import notices
from timebank.ledger.journal import Head
from timebank.policy.allocation import Award, Past, count_winners, division_of
from timebank.policy.grant import Offer
from timebank.policy.pool import number_on
from timebank.policy.rule import Pack, Rule
from timebank.policy.selection import SelectMode
from timebank.store import audit_events, numbering, selections
from timebank.trust.notice import NoticeKind

_SECRET_BYTES = 16


async def fix_list(
    conn: AsyncConnection,
    *,
    head: Head,
    pack: Pack,
    rule: Rule,
    awards: Sequence[Award],
    reasons: Mapping[int, str],
    past: Sequence[Past],
    run: int,
    as_of: int,
    root: bytes,
    person: UUID | None,
    now: datetime,
) -> Selection | None:
    """Fix a list, number its lots, make its digest known; None where there was one already.

    The caller holds the book's lock. From here on nobody is added and nobody can be exchanged: each
    lot stands for its person by a commitment in the digest, and the digest is a notice. `reasons`
    say, by volunteer, why they are on it.
    """
    offer = awards[0].claim.offer
    key = (pack.id, rule.id, offer.period_key)
    if await selections.find_selection_of(conn, book=head.book, key=key) is not None:
        return None
    mode = Mode.LOTTERY if rule.select.mode is SelectMode.LOTTERY else Mode.PANEL
    lots = [
        replace(each, reasons=reasons[each.volunteer])
        for each in _lots(head.book, rule, awards, mode)
    ]
    divisions = {each.division for each in lots}
    zone = ZoneInfo(head.zone)
    (number,) = await numbering.take_numbers(conn, book=head.book, noun="selection")
    listed = Selection(
        book=head.book,
        id=number,
        mode=mode,
        pack=pack.id,
        pack_hash=pack.hash,
        rule=rule.id,
        period=offer.period_key,
        run=run,
        as_of=as_of,
        decided_on=offer.on,
        root=root.hex(),
        places={each: _places(rule, past, offer=offer, division=each) for each in divisions},
        ready_at=day_start(ready_on(local_day(now, zone=zone)), zone=zone)
        if mode is Mode.LOTTERY
        else None,
        digest="",
        listed_at=now,
        listed_by=person,
    )
    fixed = replace(listed, digest=digest_of(list_document(listed, lots)))
    await selections.insert_selection(conn, selection=fixed, lots=lots)
    await notices.append_notice(
        conn,
        book=head.book,
        kind=NoticeKind.LIST,
        body={
            "digest": fixed.digest,
            "lots": len(lots),
            "mode": mode.value,
            "number": number,
            "pack": pack.id,
            "period": fixed.period,
            "ready_at": None if fixed.ready_at is None else fixed.ready_at.isoformat(),
            "rule": rule.id,
        },
        now=now,
    )
    await audit_events.insert_audit_events(
        conn, at=now, person=person, act="fix_list", subjects=[f"selection/{head.book}/{number}"]
    )
    return fixed


def _lots(book: int, rule: Rule, awards: Sequence[Award], mode: Mode) -> list[Lot]:
    """Return the lots of a list: a lottery's in an order of chance, a panel's as they rank."""
    people = {each.claim.person: each for each in awards}
    found = []
    for place, (volunteer, award) in enumerate(people.items()):
        secret = secrets.token_hex(_SECRET_BYTES)
        commitment = commitment_of(secret, book=book, volunteer=volunteer)
        division = division_of(award.claim.home, rule.select.per) or 0
        order = (division, award.position, place) if mode is Mode.PANEL else (0, 0, 0)
        found.append((order, commitment, volunteer, division, secret))
    return [
        Lot(
            number=number,
            volunteer=volunteer,
            division=division,
            secret=secret,
            commitment=commitment,
        )
        for number, (_order, commitment, volunteer, division, secret) in enumerate(
            sorted(found), start=1
        )
    ]


def _places(rule: Rule, past: Sequence[Past], *, offer: Offer, division: int) -> int:
    """Return how many of a division may still be given something."""
    if rule.select.winners is None:
        raise ValueError(f"{rule.id}: a selection needs a number of winners")
    given = count_winners(
        [each for each in past if (each.pack_id, each.rule_id) == (offer.pack_id, offer.rule_id)],
        period=offer.period_key,
        per=rule.select.per,
        division=division,
    )
    return max(number_on(rule.select.winners, on=offer.on) - given, 0)
