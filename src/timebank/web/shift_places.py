"""How many places a shift has, changed by its organizer after it was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.activity import PLACES_MAX
from timebank.domain.actor import Act, OrganizationId
from timebank.domain.places import PlacesChanged, PlacesRefusal
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.services.errors import NotFoundError
from timebank.services.places import change_places
from timebank.store import waiting
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import shift_url
from timebank.web.parts import Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_count


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesPage:
    """What `organizer/places.html` shows.

    Attributes:
        taken: How many hold a place and how many wait, in words.
        places_min: No fewer than hold one.
    """

    activity: str
    time: str
    taken: str
    places: Field
    places_min: int
    places_max: int
    action_url: str
    back_url: str


class PlacesForm(msgspec.Struct):
    """The new number, as it was typed."""

    places: ShortText = ""


@get("/organizer/shifts/{book:int}/{shift:int}/places", rule=Act.RUN_ACTIVITIES)
async def show_places(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show how many places a shift has, and the form that changes it."""
    return await _show(request, kit, organizations, book, shift, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/places", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_places(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    data: URLEncodedBody[PlacesForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Change the number of places; new ones go to those who wait."""
    outcome = await change_places(
        kit.db,
        seal=kit.seal,
        actor=actor,
        shift_book=book,
        shift=shift,
        places=typed_count(data.places.strip()),
        now=now,
    )
    if isinstance(outcome, PlacesChanged):
        return Redirect(f"/organizer/shifts/{book}/{shift}?done=places_changed", status_code=303)
    return await _show(
        request,
        kit,
        actor.organizations,
        book,
        shift,
        typed=data.places,
        refusal=outcome.reason,
        now=now,
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    now: datetime,
    typed: str | None = None,
    refusal: PlacesRefusal | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        queue = await waiting.count_waiting(conn, shift_book=book, shift=shift)
    return show(
        request,
        "organizer/places.html",
        PlacesPage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language_of(request)),
            taken=_(
                "已报名 {count} 人，候补 {waiting} 人。",
                count=found.signed_up,
                waiting=queue,
            ),
            places=Field(
                value=str(found.places) if typed is None else typed,
                error="" if refusal is None else _(refusal.value),
            ),
            places_min=max(1, found.signed_up),
            places_max=PLACES_MAX,
            action_url=f"{shift_url(found)}/places",
            back_url=shift_url(found),
        ),
        status=200 if refusal is None else 422,
    )
