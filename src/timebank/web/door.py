"""The organizer at the door: reads people's codes with a camera, and sees who is there.

Everything works without a script but the camera; with one, the list renews itself and each answer
comes in a blink, with a sound.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias, assert_never

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, OrganizationId, VolunteerId
from timebank.domain.attendance import Arrived, Left, Refused, ScanDecision, ScanRefusal
from timebank.domain.meeting_point import parse_point
from timebank.domain.retraction import RetractionRefused
from timebank.domain.signup import SignupRefused
from timebank.domain.volunteer_number import format_number
from timebank.domain.walk_up import WalkUp, make_slip, read_slip
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.named_volunteer import find_sealed_name
from timebank.queries.organizer import Attendee, OrganizedShift
from timebank.services import device_binding, looking_up, person_scan, spot_check
from timebank.services.errors import NotFoundError
from timebank.services.meeting_point import set_meeting_point
from timebank.services.person_scan import NobodyRead, PersonReading
from timebank.services.retraction import retract_scan
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.organized_shift import (
    direction_of,
    masked,
    parse_volunteer,
    shift_url,
    takes_scans,
    volunteer_key,
)
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_count

_REFRESH_MS = 3_000
"""How often the list asks whether somebody came: it is answered with nothing where nobody did."""

_CHECKED_AT_ONCE = 3
"""Names that a spot check proposes: as many as one can look for in a room."""

_CHECK_WINDOW_SECONDS = 600
"""How long the same names are proposed, so that a new page does not offer easier ones."""

_Purpose: TypeAlias = Annotated[str, QueryParameter(max_length=6)]
_Flag: TypeAlias = Annotated[str, QueryParameter(max_length=1)]
_Version: TypeAlias = Annotated[str, QueryParameter(max_length=64)]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPerson:
    """One person of the live list.

    Attributes:
        key: Names the volunteer in a form.
        is_seen: An organizer saw them there.
    """

    key: str
    name: str
    number: str
    state: Literal["here", "expected", "left"]
    arrived_at: str
    left_at: str
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFragment:
    """What `organizer/_people.html` shows: who is here now.

    Attributes:
        version: Changes with what is shown; sent along to ask whether anything did.
        to_check: Masked names to look for in the room.
        base_url: Where the buttons of the list post.
        can_undo: The shift is not closed.
    """

    version: str
    refresh_ms: int
    here: int
    arrived: int
    signed_up: int
    people: Sequence[DoorPerson]
    to_check: Sequence[str]
    base_url: str
    can_undo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPage:
    """What `organizer/door.html` shows.

    Attributes:
        base_url: Everything of this page lives below it.
        takes_scans: The shift takes arrivals and departures now.
        closed: Why not; empty where it does.
        read: Who was just read; None before anybody.
        error: Why the last act did nothing; empty otherwise.
        counted: What became of a head count, one sentence; empty without one.
    """

    activity: str
    time: str
    place: str
    purpose: Literal["arrive", "leave"]
    base_url: str
    arrive_url: str
    leave_url: str
    shift_url: str
    code_url: str
    kiosk_url: str
    takes_scans: bool
    closed: str
    people: PeopleFragment
    read: ReadPerson | None
    error: str = ""
    counted: str = ""


class CodeForm(msgspec.Struct):
    """What the camera read."""

    code: Annotated[str, msgspec.Meta(max_length=300)] = ""
    purpose: Annotated[str, msgspec.Meta(max_length=6)] = ""


class SlipForm(msgspec.Struct):
    """Whom to let in."""

    slip: Annotated[str, msgspec.Meta(max_length=120)] = ""


class WhoForm(msgspec.Struct):
    """Whom a button of the list is about."""

    volunteer: ShortText = ""


class LookUpForm(msgspec.Struct):
    """A volunteer's number or phone."""

    who: ShortText = ""


class PointForm(msgspec.Struct):
    """Where the organizer stands, as the browser tells."""

    latitude: Annotated[str, msgspec.Meta(max_length=30)] = ""
    longitude: Annotated[str, msgspec.Meta(max_length=30)] = ""


class CountForm(msgspec.Struct):
    """How many people the organizer counted."""

    counted: ShortText = ""


@get("/organizer/shifts/{book:int}/{shift:int}/door", rule=Act.RUN_ACTIVITIES)
async def show_door(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    purpose: _Purpose = "",
) -> Response[Any]:
    """Show the camera, and who is here."""
    return await _show(request, kit, organizations, book, shift, purpose=purpose, now=now)


@get("/organizer/shifts/{book:int}/{shift:int}/door/people", rule=Act.RUN_ACTIVITIES)
async def show_people(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    version: _Version = "",
) -> Response[Any]:
    """Show who is here now; nothing where nothing changed since a version."""
    found, people = await _read(kit, organizations, book, shift)
    fragment = _fragment(request, kit, found, people, now=now)
    if hmac.compare_digest(version, fragment.version):
        return Response(None, status_code=204, headers={"cache-control": "no-store"})
    return show_part(request, "organizer/_people.html", people=fragment)


@post(
    "/organizer/shifts/{book:int}/{shift:int}/door/scans", rule=Act.RUN_ACTIVITIES, status_code=200
)
async def create_person_scan(
    request: TimebankRequest,
    data: URLEncodedBody[CodeForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    part: _Flag = "",
) -> Response[Any]:
    """Record whom the camera read."""
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=actor.organizations, shift_book=book, shift=shift
        )
    if found is None:
        raise NotFoundError
    direction = direction_of(found, data.purpose, now=now)
    (result,) = await person_scan.record_person_scans(
        kit.db,
        actor=actor,
        shift_book=book,
        shift=shift,
        readings=[PersonReading(code_in(data.code), direction, now)],
        master_key=kit.master_key,
        now=now,
    )
    _ = translate_of(request)
    if isinstance(result, NobodyRead):
        reason = result.reason.value
        read = ReadPerson(
            outcome="refused",
            name="",
            number="",
            time=words.clock(now),
            sentence=_(reason),
            code=reason,
        )
    else:
        walk_up = WalkUp(book, shift, result.volunteer, now, is_measured=True)
        read = await _read_person(
            kit, result.volunteer, result.recorded.decision, walk_up, now=now, _=_
        )
    return await _answer(request, kit, actor, book, shift, read, part, direction.value, now=now)


@post(
    "/organizer/shifts/{book:int}/{shift:int}/door/look-ups",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_look_up(
    request: TimebankRequest,
    data: URLEncodedBody[LookUpForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    part: _Flag = "",
) -> Response[Any]:
    """Find somebody who has neither phone nor card with them, to let them in by name."""
    _ = translate_of(request)
    volunteer = await looking_up.look_up_volunteer(
        kit.db,
        actor=actor,
        shift_book=book,
        shift=shift,
        text=data.who,
        seal=kit.seal,
        now=now,
    )
    if volunteer is None:
        read = ReadPerson(
            outcome="refused",
            name="",
            number="",
            time=words.clock(now),
            sentence=_("没有这个编号或手机号的志愿者。可以请对方现场登记。"),
            code="",
        )
    else:
        walk_up = WalkUp(book, shift, volunteer, now, is_measured=False)
        read = ReadPerson(
            outcome="walk-up",
            name=await _name(kit, volunteer, _),
            number=format_number(volunteer.book, volunteer.id),
            time=words.clock(now),
            sentence=_("是这位吗？核对本人后再登记。"),
            code="",
            slip=make_slip(walk_up, master_key=kit.master_key),
        )
    return await _answer(request, kit, actor, book, shift, read, part, "", now=now)


@post(
    "/organizer/shifts/{book:int}/{shift:int}/door/walk-ups",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_walk_up(
    request: TimebankRequest,
    data: URLEncodedBody[SlipForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    part: _Flag = "",
) -> Response[Any]:
    """Let somebody in who came without a place."""
    _ = translate_of(request)
    walk_up = read_slip(data.slip, master_key=kit.master_key, now=now)
    if walk_up is None or (walk_up.shift_book, walk_up.shift) != (book, shift):
        read = ReadPerson(
            outcome="refused",
            name="",
            number="",
            time=words.clock(now),
            sentence=_("过了十分钟，请再扫一次对方的码。"),
            code="",
        )
        return await _answer(request, kit, actor, book, shift, read, part, "", now=now)
    outcome = await person_scan.admit_walk_up(kit.db, actor=actor, walk_up=walk_up, now=now)
    if isinstance(outcome, SignupRefused):
        read = ReadPerson(
            outcome="refused",
            name=await _name(kit, walk_up.volunteer, _),
            number=format_number(walk_up.volunteer.book, walk_up.volunteer.id),
            time=words.clock(now),
            sentence=_(f"door.{outcome.reason.value}"),
            code=outcome.reason.value,
        )
    else:
        read = await _read_person(kit, walk_up.volunteer, outcome.decision, walk_up, now=now, _=_)
    return await _answer(request, kit, actor, book, shift, read, part, "", now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/door/arrivals", rule=Act.RUN_ACTIVITIES)
async def create_named_arrival(
    request: TimebankRequest,
    data: URLEncodedBody[WhoForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record by name that somebody on the list has come."""
    recorded = await person_scan.record_named_arrival(
        kit.db,
        actor=actor,
        shift_book=book,
        shift=shift,
        volunteer=_whom(data),
        now=now,
    )
    reason = recorded.decision.reason if isinstance(recorded.decision, Refused) else None
    return await _after_act(
        request, kit, actor, book, shift, "" if reason is None else f"door.{reason.value}", now=now
    )


@post("/organizer/shifts/{book:int}/{shift:int}/door/confirmations", rule=Act.RUN_ACTIVITIES)
async def create_confirmation(
    request: TimebankRequest,
    data: URLEncodedBody[WhoForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record that the organizer saw somebody who is there."""
    await spot_check.confirm_presence(
        kit.db, actor=actor, shift_book=book, shift=shift, volunteer=_whom(data), now=now
    )
    return await _after_act(request, kit, actor, book, shift, "", now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/door/retractions", rule=Act.RUN_ACTIVITIES)
async def create_retraction(
    request: TimebankRequest,
    data: URLEncodedBody[WhoForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take back the newest reading of somebody."""
    outcome = await retract_scan(
        kit.db, actor=actor, shift_book=book, shift=shift, volunteer=_whom(data), now=now
    )
    reason = outcome.reason.value if isinstance(outcome, RetractionRefused) else ""
    return await _after_act(request, kit, actor, book, shift, reason, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/door/device-releases", rule=Act.RUN_ACTIVITIES)
async def create_device_release(
    data: URLEncodedBody[WhoForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Let the old phone of somebody go, who stands there with a new one."""
    await device_binding.release_device(
        kit.db, actor=actor, shift_book=book, shift=shift, volunteer=_whom(data), now=now
    )
    return Redirect(f"/organizer/shifts/{book}/{shift}/door?done=released", status_code=303)


@post("/organizer/shifts/{book:int}/{shift:int}/door/meeting-points", rule=Act.RUN_ACTIVITIES)
async def create_meeting_point(
    data: URLEncodedBody[PointForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Set where the activity meets: where the organizer stands; nothing typed forgets it."""
    point = parse_point(data.latitude, data.longitude)
    await set_meeting_point(kit.db, actor=actor, shift_book=book, shift=shift, point=point, now=now)
    done = "point_forgotten" if point is None else "point_set"
    return Redirect(f"/organizer/shifts/{book}/{shift}/door?done={done}", status_code=303)


@post(
    "/organizer/shifts/{book:int}/{shift:int}/door/head-counts",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_head_count(
    request: TimebankRequest,
    data: URLEncodedBody[CountForm],
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Keep how many people the organizer counted, beside how many are checked in."""
    _ = translate_of(request)
    typed = data.counted.strip()
    counted = typed_count(typed)
    if not counted and typed != "0":
        return await _show(
            request,
            kit,
            actor.organizations,
            book,
            shift,
            error=_("请写数到的人数，例如 31"),
            status=422,
            now=now,
        )
    present = await spot_check.count_heads(
        kit.db, actor=actor, shift_book=book, shift=shift, counted=counted, now=now
    )
    sentence = (
        _("现场数到 {counted} 人，和签到的一样。", counted=counted)
        if counted == present
        else _(
            "签到在场 {present} 人，现场数到 {counted} 人。请看看名单里谁不在。",
            present=present,
            counted=counted,
        )
    )
    return await _show(request, kit, actor.organizations, book, shift, counted=sentence, now=now)


def code_in(text: str) -> str:
    """Return the code in what a camera read: the last part of our link, or the text itself."""
    return text.strip().rpartition("/")[2]


async def read_decision(
    kit: Kit, volunteer: VolunteerId, decision: ScanDecision, *, now: datetime, _: Translate
) -> ReadPerson:
    """Return what is told of somebody whose code was read."""
    name = await _name(kit, volunteer, _)
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


async def _read_person(
    kit: Kit,
    volunteer: VolunteerId,
    decision: ScanDecision,
    walk_up: WalkUp,
    *,
    now: datetime,
    _: Translate,
) -> ReadPerson:
    read = await read_decision(kit, volunteer, decision, now=now, _=_)
    if decision == Refused(ScanRefusal.NOT_SIGNED_UP):
        slip = make_slip(walk_up, master_key=kit.master_key)
        return replace(read, outcome="walk-up", slip=slip)
    return read


async def _name(kit: Kit, volunteer: VolunteerId, _: Translate) -> str:
    async with kit.db.read() as conn:
        sealed = await find_sealed_name(conn, volunteer=volunteer)
    return masked(sealed, kit.seal, volunteer, _)


def _whom(data: WhoForm) -> VolunteerId:
    volunteer = parse_volunteer(data.volunteer)
    if volunteer is None:
        raise NotFoundError
    return volunteer


async def _answer(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    book: int,
    shift: int,
    read: ReadPerson,
    part: str,
    purpose: str,
    *,
    now: datetime,
) -> Response[Any]:
    if part:
        base_url = f"/organizer/shifts/{book}/{shift}/door"
        return show_part(request, "organizer/_read.html", read=read, base_url=base_url)
    return await _show(
        request, kit, actor.organizations, book, shift, read=read, purpose=purpose, now=now
    )


async def _after_act(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    book: int,
    shift: int,
    reason: str,
    *,
    now: datetime,
) -> Response[Any]:
    if not reason:
        return Redirect(f"/organizer/shifts/{book}/{shift}/door", status_code=303)
    _ = translate_of(request)
    return await _show(
        request, kit, actor.organizations, book, shift, error=_(reason), status=409, now=now
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    now: datetime,
    purpose: str = "",
    read: ReadPerson | None = None,
    error: str = "",
    counted: str = "",
    status: int = 200,
) -> Response[Any]:
    found, people = await _read(kit, organizations, book, shift)
    _ = translate_of(request)
    language = language_of(request)
    url = f"{shift_url(found)}/door"
    is_open = takes_scans(found, now=now)
    return show(
        request,
        "organizer/door.html",
        DoorPage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            place=found.address,
            purpose=direction_of(found, purpose, now=now).value,
            base_url=url,
            arrive_url=f"{url}?purpose=arrive",
            leave_url=f"{url}?purpose=leave",
            shift_url=shift_url(found),
            code_url=f"{shift_url(found)}/code",
            kiosk_url=f"{shift_url(found)}/kiosk",
            takes_scans=is_open,
            closed="" if is_open else _("现在不能签到或签退。开始前半小时到结束后一小时可以。"),
            people=_fragment(request, kit, found, people, now=now),
            read=read,
            error=error,
            counted=counted,
        ),
        status=status,
        has_camera=True,
    )


async def _read(
    kit: Kit, organizations: Sequence[OrganizationId], book: int, shift: int
) -> tuple[OrganizedShift, list[Attendee]]:
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        people = await organizer.list_attendees(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    return found, people


def _fragment(
    request: TimebankRequest,
    kit: Kit,
    found: OrganizedShift,
    people: Sequence[Attendee],
    *,
    now: datetime,
) -> PeopleFragment:
    _ = translate_of(request)
    shown = [_person(each, kit, _) for each in _in_order(people)]
    fragment = PeopleFragment(
        version="",
        refresh_ms=_REFRESH_MS,
        here=found.present,
        arrived=found.arrived,
        signed_up=found.signed_up,
        people=shown,
        to_check=_to_check(found, people, kit, now=now, _=_),
        base_url=f"{shift_url(found)}/door",
        can_undo=found.closed_at is None,
    )
    digest = hashlib.sha256(msgspec.json.encode(fragment)).hexdigest()
    return replace(fragment, version=digest[:32])


def _in_order(people: Sequence[Attendee]) -> list[Attendee]:
    """Return who is here, newest first; then who is awaited; then who has left."""
    here = [each for each in people if each.is_present]
    awaited = [each for each in people if each.arrived_at is None and each.withdrawn_at is None]
    left = [each for each in people if each.left_at is not None]
    here.sort(key=lambda each: each.arrived_at or each.signed_up_at, reverse=True)
    left.sort(key=lambda each: each.left_at or each.signed_up_at, reverse=True)
    return [*here, *awaited, *left]


def _person(person: Attendee, kit: Kit, _: Translate) -> DoorPerson:
    return DoorPerson(
        key=volunteer_key(person.volunteer),
        name=masked(person.name_sealed, kit.seal, person.volunteer, _),
        number=format_number(person.volunteer.book, person.volunteer.id),
        state="here" if person.is_present else "left" if person.left_at is not None else "expected",
        arrived_at="" if person.arrived_at is None else words.clock(person.arrived_at),
        left_at="" if person.left_at is None else words.clock(person.left_at),
        is_seen=person.confirmed_at is not None,
    )


def _to_check(
    shift: OrganizedShift,
    people: Sequence[Attendee],
    kit: Kit,
    *,
    now: datetime,
    _: Translate,
) -> list[str]:
    """Return whom to look for: nobody can foresee them, and a new page does not change them."""
    window = int(now.timestamp()) // _CHECK_WINDOW_SECONDS
    purpose = f"timebank spot check v1/{shift.shift_book}/{shift.shift}/{window}/"

    def drawn(each: Attendee) -> bytes:
        key = purpose + volunteer_key(each.volunteer)
        return hmac.digest(kit.master_key, key.encode(), "sha256")

    unseen = [each for each in people if each.is_present and each.confirmed_at is None]
    return [
        masked(each.name_sealed, kit.seal, each.volunteer, _)
        for each in sorted(unseen, key=drawn)[:_CHECKED_AT_ONCE]
    ]
