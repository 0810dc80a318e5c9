"""Objections in the demo county, one for each side to try: to appeal, to answer, to decide."""

from collections.abc import Sequence
from datetime import datetime

from timebank.db import Database
from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.objection import Answer, ObjectionReason, Raised
from timebank.queries.objections import list_own_objections
from timebank.queries.volunteer import Record, list_own_records
from timebank.services import objecting
from timebank.store import activities, volunteers
from timebank.store.seal import Seal

_LOOKED_AT = 3
"""How many of a volunteer's newest records are looked through for one of the organization."""

_TEXTS = (
    "我待到最后收完东西才走，多了半小时。",
    "签退的码没扫上，时间少记了。",
    "那天我是两头都在，请再核对一下。",
)
_DECLINED = "签到表和签退码对得上，时间没有少记。"
_APPEAL = "签到表那一行不是我签的。"
_EVIDENCE = "签到表 2024-17 第 3 行"
_MORE_MINUTES = 30


async def open_objections(
    db: Database,
    *,
    seal: Seal,
    organizer: Actor,
    candidates: Sequence[VolunteerId],
    now: datetime,
) -> None:
    """Let three volunteers object to what an organizer's organization recorded, once.

    The first of them was answered, the second waits for the organizer, the third for the district.
    """
    async with db.read() as conn:
        found: list[tuple[VolunteerId, Record]] = []
        for volunteer in candidates:
            if len(found) == len(_TEXTS):
                break
            if await list_own_objections(conn, volunteer=volunteer):
                return
            for record in await list_own_records(conn, volunteer=volunteer, limit=_LOOKED_AT):
                if record.activity is None or record.reversed_by is not None:
                    continue
                organization = await activities.find_organization_of(
                    conn, book=record.activity_book or volunteer.book, activity=record.activity
                )
                if organization in organizer.organizations:
                    found.append((volunteer, record))
                    break
    for place, (volunteer, record) in enumerate(found):
        async with db.read() as conn:
            of = await volunteers.find_volunteer(conn, volunteer=volunteer)
        if of is None or of.person is None:
            continue
        raised = await objecting.raise_objection(
            db,
            seal=seal,
            person=of.person,
            volunteer=volunteer,
            seq=record.seq,
            reason=ObjectionReason.MINUTES,
            minutes=record.minutes + _MORE_MINUTES,
            text=_TEXTS[place],
            now=now,
        )
        if not isinstance(raised, Raised) or place == 1:
            continue
        await objecting.answer_objection(
            db,
            seal=seal,
            actor=organizer,
            book=volunteer.book,
            objection=raised.objection,
            answer=Answer(text=_DECLINED, evidence=_EVIDENCE),
            now=now,
        )
        if place == len(_TEXTS) - 1:
            await objecting.appeal(
                db,
                seal=seal,
                person=of.person,
                volunteer=volunteer,
                objection=raised.objection,
                text=_APPEAL,
                now=now,
            )
