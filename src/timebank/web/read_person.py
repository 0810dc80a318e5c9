"""Who was just read at the door, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Arrived, Left, Refused, ScanDecision, ScanRefusal
from timebank.domain.volunteer_number import format_number
from timebank.domain.walk_up import WalkUp, make_slip
from timebank.http.providers import Kit
from timebank.queries.named_volunteer import find_sealed_name
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.organized_shift import masked


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPerson:
    """What `organizer/_read.html` shows: who was just read, and what became of it.

    Attributes:
        outcome: Picks colour, sign and sound.
        name: Masked; empty where the code names nobody.
        number: The volunteer's number, to compare with a card.
        sentence: What happened.
        code: The refusal's stable code; empty where nothing was refused.
        slip: Posted to let somebody in who has no place; empty where that is not the question.
    """

    outcome: Literal["arrived", "left", "known", "walk-up", "refused"]
    name: str
    number: str
    time: str
    sentence: str
    code: str
    slip: str = ""


def refused_read(
    sentence: str, *, code: str = "", name: str = "", number: str = "", now: datetime
) -> ReadPerson:
    """Return what is told where nothing was recorded; `name` is masked."""
    return ReadPerson(
        outcome="refused",
        name=name,
        number=number,
        time=words.clock(now),
        sentence=sentence,
        code=code,
    )


def code_in(text: str) -> str:
    """Return the code in what a camera read: the last part of our link, or the text itself."""
    return text.strip().rpartition("/")[2]


async def read_decision(
    kit: Kit, volunteer: VolunteerId, decision: ScanDecision, *, now: datetime, _: Translate
) -> ReadPerson:
    """Return what is told of somebody whose code was read."""
    name = await read_name(kit, volunteer, _)
    number = format_number(volunteer.book, volunteer.id)
    match decision:
        case Arrived(at):
            return ReadPerson(
                outcome="arrived",
                name=name,
                number=number,
                time=words.clock(at),
                sentence=_("{time} 签到", time=words.clock(at)),
                code="",
            )
        case Left(at, credit):
            served = f"{credit.amount // 60}:{credit.amount % 60:02}"
            return ReadPerson(
                outcome="left",
                name=name,
                number=number,
                time=words.clock(at),
                sentence=_("{time} 签退，记 {served}", time=words.clock(at), served=served),
                code="",
            )
        case Refused(reason):
            is_known = reason in (ScanRefusal.ALREADY_ARRIVED, ScanRefusal.ALREADY_LEFT)
            return ReadPerson(
                outcome="known" if is_known else "refused",
                name=name,
                number=number,
                time=words.clock(now),
                sentence=_(f"door.{reason.value}"),
                code="" if is_known else reason.value,
            )
        case _:
            assert_never(decision)


async def read_or_let_in(
    kit: Kit,
    volunteer: VolunteerId,
    decision: ScanDecision,
    walk_up: WalkUp,
    *,
    now: datetime,
    _: Translate,
) -> ReadPerson:
    """Return what is told of somebody who was read, with the slip for who has no place."""
    read = await read_decision(kit, volunteer, decision, now=now, _=_)
    if decision == Refused(ScanRefusal.NOT_SIGNED_UP):
        slip = make_slip(walk_up, master_key=kit.master_key)
        return replace(read, outcome="walk-up", slip=slip)
    return read


async def read_name(kit: Kit, volunteer: VolunteerId, _: Translate) -> str:
    """Return a volunteer's masked name."""
    async with kit.db.read() as conn:
        sealed = await find_sealed_name(conn, volunteer=volunteer)
    return masked(sealed, kit.seal, volunteer, _)
