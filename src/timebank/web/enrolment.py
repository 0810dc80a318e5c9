"""Enrolling: the form that makes a volunteer of somebody who has signed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect

from timebank.domain import region as divisions
from timebank.domain.enrolment import Enrolled, EnrolmentRefusal
from timebank.http.identity import SIGNED_IN
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.services import clearing, enrolment
from timebank.store import people, regions
from timebank.web import format as words
from timebank.web.frame import (
    local_path,
    show,
    translate_of,
)
from timebank.web.parts import Choice, ChoiceGroup, Field
from timebank.web.typed import ShortText, typed_village


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPage:
    """What `public/enrol.html` shows.

    Attributes:
        action_url: Where `name`, `village` and `consent` are posted.
        phone_masked: The number that was just proved.
        towns: The villages of each town, by town.
        is_consent_given: The box stays ticked when the form is shown again; so does `is_of_age`.
    """

    action_url: str
    return_to: str
    phone_masked: str
    name: Field
    towns: Sequence[ChoiceGroup]
    village_error: str
    is_consent_given: bool
    consent_error: str
    is_of_age: bool = False


class EnrolForm(msgspec.Struct):
    """Registering as a volunteer."""

    name: ShortText = ""
    village: ShortText = ""
    consent: ShortText = ""
    of_age: ShortText = ""
    return_to: Annotated[str, msgspec.Meta(max_length=500)] = ""


@get("/enrol", rule=SIGNED_IN)
async def show_enrolment(
    request: TimebankRequest,
    actor: SignedInActor,
    kit: Kitted,
    return_to: FromQuery[str | None] = None,
) -> Response[Any]:
    """Show the form that makes a volunteer of a person."""
    if actor.volunteer is not None:
        return Redirect(local_path(return_to, fallback="/me"), status_code=303)
    return await _show_enrolment(
        request, kit, person=actor.person, form=EnrolForm(return_to=return_to or "")
    )


@post("/enrol", rule=SIGNED_IN, status_code=200)
async def create_enrolment(
    request: TimebankRequest,
    data: URLEncodedBody[EnrolForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Register the signed-in person as a volunteer of the county where they live."""
    _ = translate_of(request)
    name = data.name.strip()
    village = typed_village(data.village)
    errors = {
        "name": "" if 2 <= len(name) <= 30 else _("请写下您的姓名，两到三十个字"),
        "village": "" if village else _("请选择您住的村或社区"),
        "consent": "" if data.consent == "yes" else _("请先同意，我们才能为您记录服务时间"),
    }
    if village is None or any(errors.values()):
        return await _show_enrolment(
            request, kit, person=actor.person, form=data, errors=errors, status=422
        )
    enrolled = await enrolment.enrol_volunteer(
        kit.db, seal=kit.seal, person=actor.person, name=name, village=village, now=now
    )
    if isinstance(enrolled, Enrolled):
        if data.of_age == "yes":
            await clearing.declare_age(
                kit.db, person=actor.person, birth=None, today=words.local_day(now), now=now
            )
        if request.auth is not None:
            kit.identity.forget(request.auth)
        return Redirect(local_path(data.return_to, fallback="/me?done=enrolled"), status_code=303)
    field = "name" if enrolled.reason is EnrolmentRefusal.NAME_LENGTH else "village"
    errors[field] = _(enrolled.reason.value)
    return await _show_enrolment(
        request, kit, person=actor.person, form=data, errors=errors, status=422
    )


async def _show_enrolment(
    request: TimebankRequest,
    kit: Kit,
    *,
    person: UUID,
    form: EnrolForm,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[Any]:
    errors = errors or {}
    async with kit.db.read() as conn:
        who = await people.find_person(conn, seal=kit.seal, person=person)
        divided = await regions.list_subtree(conn, code=divisions.county_code(kit.book))
    towns = [each for each in divided if each.level is divisions.Level.TOWN]
    return show(
        request,
        "public/enrol.html",
        EnrolPage(
            action_url="/enrol",
            return_to=local_path(form.return_to, fallback=""),
            phone_masked=words.masked_phone(who.phone or "") if who is not None else "",
            name=Field(value=form.name, error=errors.get("name", "")),
            towns=[
                ChoiceGroup(
                    label=town.name,
                    choices=[
                        Choice(
                            value=str(village.code),
                            label=village.name,
                            is_selected=str(village.code) == form.village,
                        )
                        for village in divided
                        if village.parent == town.code
                    ],
                )
                for town in towns
            ],
            village_error=errors.get("village", ""),
            is_consent_given=form.consent == "yes",
            consent_error=errors.get("consent", ""),
            is_of_age=form.of_age == "yes",
        ),
        status=status,
    )
