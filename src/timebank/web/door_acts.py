"""What the organizer does from the list at the door: come, seen, taken back, counted."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.attendance import Refused
from timebank.domain.meeting_point import parse_point
from timebank.domain.retraction import RetractionRefused
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.services import device_binding, person_scan, spot_check
from timebank.services.errors import NotFoundError
from timebank.services.meeting_point import set_meeting_point
from timebank.services.retraction import retract_scan
from timebank.web.door import show_door_page
from timebank.web.frame import translate_of
from timebank.web.organized_shift import parse_volunteer
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_count


class WhoForm(msgspec.Struct):
    """Whom a button of the list is about."""

    volunteer: ShortText = ""


class PointForm(msgspec.Struct):
    """Where the organizer stands, as the browser tells."""

    latitude: Annotated[str, msgspec.Meta(max_length=30)] = ""
    longitude: Annotated[str, msgspec.Meta(max_length=30)] = ""


class CountForm(msgspec.Struct):
    """How many people the organizer counted."""

    counted: ShortText = ""


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
        return await show_door_page(
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
    return await show_door_page(
        request, kit, actor.organizations, book, shift, counted=sentence, now=now
    )


def _whom(data: WhoForm) -> VolunteerId:
    volunteer = parse_volunteer(data.volunteer)
    if volunteer is None:
        raise NotFoundError
    return volunteer


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
    return await show_door_page(
        request, kit, actor.organizations, book, shift, error=_(reason), status=409, now=now
    )
