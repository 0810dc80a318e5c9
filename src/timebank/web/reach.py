"""What a shift did for others: the organizer's form of people and households reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, OrganizationId
from timebank.domain.reach import ReachRefused
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
from timebank.services.reaching import count_reach
from timebank.store.reaches import find_reach
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import shift_url
from timebank.web.parts import Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachPage:
    """What `organizer/reach.html` shows.

    Attributes:
        action_url: Where the form is posted; empty before the shift is over.
    """

    activity: str
    time: str
    back_url: str
    action_url: str
    people: Field
    households: Field
    error: str = ""


class ReachForm(msgspec.Struct):
    """What was counted; an empty field was not."""

    people: ShortText = ""
    households: ShortText = ""


@get("/organizer/shifts/{book:int}/{shift:int}/reach", rule=Act.RUN_ACTIVITIES)
async def show_reach(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show what was counted of a shift, and the form for it."""
    return await _show(request, kit, organizations, book, shift, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/reach", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_reach(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    data: URLEncodedBody[ReachForm],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Keep what was counted of a shift."""
    outcome = await count_reach(
        kit.db,
        actor=actor,
        shift_book=book,
        shift=shift,
        people=data.people,
        households=data.households,
        now=now,
    )
    if isinstance(outcome, ReachRefused):
        error = translate_of(request)(outcome.reason.value)
        return await _show(
            request, kit, organizations, book, shift, typed=data, error=error, now=now
        )
    return Redirect(f"/organizer/shifts/{book}/{shift}?done=reach_counted", status_code=303)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    now: datetime,
    typed: ReachForm | None = None,
    error: str = "",
) -> Response[Any]:
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        known = await find_reach(
            conn,
            book=book,
            activity=found.activity,
            held_on=words.local_day(found.starts_at),
            shift=shift,
        )
    if typed is None and known is not None:
        typed = ReachForm(
            people="" if known.people is None else str(known.people),
            households="" if known.households is None else str(known.households),
        )
    form = typed or ReachForm()
    is_open = found.cancelled_at is None and now >= found.ends_at
    return show(
        request,
        "organizer/reach.html",
        ReachPage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            back_url=shift_url(found),
            action_url=f"{shift_url(found)}/reach" if is_open else "",
            people=Field(value=form.people),
            households=Field(value=form.households),
            error=error,
        ),
        status=422 if error else 200,
    )
