"""The organizer at the door: the camera, who was read, and who has no place yet.

Everything works without a script but the camera; with one, the list renews itself and each answer
comes in a blink, with a sound.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody

from timebank.domain.actor import Act, Actor, OrganizationId
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
from timebank.services import looking_up, person_scan
from timebank.services.errors import NotFoundError
from timebank.services.person_scan import NobodyRead, PersonReading
from timebank.web import format as words
from timebank.web.door_people import PeopleFragment, find_people, people_fragment
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.organized_shift import direction_of, shift_url, takes_scans
from timebank.web.read_person import ReadPerson, code_in, read_name, read_or_let_in, refused_read
from timebank.web.typed import BookInPath, NumberInPath, ShortText

_Purpose: TypeAlias = Annotated[str, QueryParameter(max_length=6)]


_Flag: TypeAlias = Annotated[str, QueryParameter(max_length=1)]


_Version: TypeAlias = Annotated[str, QueryParameter(max_length=64)]


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


class LookUpForm(msgspec.Struct):
    """A volunteer's number or phone."""

    who: ShortText = ""


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
    return await show_door_page(request, kit, organizations, book, shift, purpose=purpose, now=now)


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
    found, people = await find_people(kit, organizations, book, shift)
    fragment = people_fragment(request, kit, found, people, now=now)
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
        read = refused_read(_(reason), code=reason, now=now)
    else:
        walk_up = WalkUp(book, shift, result.volunteer, now, is_measured=True)
        read = await read_or_let_in(
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
        read = refused_read(_("没有这个编号或手机号的志愿者。可以请对方现场登记。"), now=now)
    else:
        walk_up = WalkUp(book, shift, volunteer, now, is_measured=False)
        read = ReadPerson(
            outcome="walk-up",
            name=await read_name(kit, volunteer, _),
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
        read = refused_read(_("过了十分钟，请再扫一次对方的码。"), now=now)
        return await _answer(request, kit, actor, book, shift, read, part, "", now=now)
    outcome = await person_scan.admit_walk_up(kit.db, actor=actor, walk_up=walk_up, now=now)
    if isinstance(outcome, SignupRefused):
        read = refused_read(
            _(f"door.{outcome.reason.value}"),
            code=outcome.reason.value,
            name=await read_name(kit, walk_up.volunteer, _),
            number=format_number(walk_up.volunteer.book, walk_up.volunteer.id),
            now=now,
        )
    else:
        read = await read_or_let_in(kit, walk_up.volunteer, outcome.decision, walk_up, now=now, _=_)
    return await _answer(request, kit, actor, book, shift, read, part, "", now=now)


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
    return await show_door_page(
        request, kit, actor.organizations, book, shift, read=read, purpose=purpose, now=now
    )


async def show_door_page(
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
    """Show the door, with who was read last or why the last act did nothing."""
    found, people = await find_people(kit, organizations, book, shift)
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
            people=people_fragment(request, kit, found, people, now=now),
            read=read,
            error=error,
            counted=counted,
        ),
        status=status,
        has_camera=True,
    )
