"""The volunteer's own page about themself: who they are here, where they live, and moving house."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.domain import region as divisions
from timebank.domain.actor import Act, VolunteerId
from timebank.domain.enrolment import MoveRefused
from timebank.domain.moving import MovingRefused
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries.volunteer import find_profile, list_counties_open
from timebank.services.enrolment import move_home
from timebank.services.errors import NotFoundError
from timebank.services.moving import move_to_county
from timebank.store import regions
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, ChoiceGroup
from timebank.web.typed import ShortText, typed_village

_County = Annotated[int, QueryParameter(ge=0, le=999_999)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePage:
    """What `volunteer/profile.html` shows.

    Attributes:
        name: As others read it, masked.
        number: The volunteer's public number.
        home: Village and town; empty where none is known.
        since: When they enrolled, in words.
        counties: Those that one can move to; empty where there is one alone.
        towns: The villages of each town of the chosen county, by town.
        is_leaving: The chosen county is another one than their own.
    """

    name: str
    number: str
    home: str
    since: str
    counties: Sequence[Choice]
    towns: Sequence[ChoiceGroup]
    village_error: str
    is_leaving: bool
    county_url: str
    action_url: str
    back_url: str


class HomeForm(msgspec.Struct):
    """Where somebody lives from today on."""

    village: ShortText = ""


@get("/me/profile", rule=Act.SEE_OWN_RECORDS)
async def show_profile(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now, county: _County = 0
) -> Response[Any]:
    """Show who the volunteer is here, and the form for having moved house."""
    return await _show(request, kit, volunteer, county=county or volunteer.book, now=now)


@post("/me/profile", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_home(
    request: TimebankRequest,
    data: URLEncodedBody[HomeForm],
    volunteer: OwnVolunteer,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record where the volunteer lives from today on; to another county everything follows."""
    _ = translate_of(request)
    village = typed_village(data.village)
    if village is None:
        error = _("请选择您住的村或社区")
        return await _show(request, kit, volunteer, county=volunteer.book, error=error, now=now)
    county = divisions.county_of(village)
    if county == volunteer.book:
        stayed = await move_home(
            kit.db, volunteer=volunteer, village=village, from_on=words.local_day(now), now=now
        )
        refused = stayed.reason.value if isinstance(stayed, MoveRefused) else ""
    else:
        left = await move_to_county(
            kit.db, volunteer=volunteer, village=village, person=actor.person, now=now
        )
        refused = left.reason.value if isinstance(left, MovingRefused) else ""
    if refused:
        return await _show(request, kit, volunteer, county=county, error=_(refused), now=now)
    if request.auth is not None:
        kit.identity.forget(request.auth)
    return Redirect("/me/profile?done=moved", status_code=303)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId,
    *,
    county: int,
    now: datetime,
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await find_profile(conn, volunteer=volunteer, on=words.local_day(now))
        open_ = await list_counties_open(conn, volunteer=volunteer)
        divided = await regions.list_subtree(conn, code=divisions.county_code(county))
    if found is None:
        raise NotFoundError
    # Of a county without a book only its absence can be said: nothing of it is offered.
    is_open = any(book == county for book, _name in open_)
    towns = [each for each in divided if each.level is divisions.Level.TOWN] if is_open else []
    return show(
        request,
        "volunteer/profile.html",
        ProfilePage(
            name=words.masked_name(kit.seal.open(found.name_sealed)) if found.name_sealed else "—",
            number=format_number(volunteer.book, volunteer.id),
            home=" ".join(each for each in (found.town, found.village) if each),
            since=words.full_day(words.local_day(found.enrolled_at), language=language),
            counties=[
                Choice(value=str(book), label=name, is_selected=book == county)
                for book, name in open_
            ]
            if len(open_) > 1
            else [],
            towns=[
                ChoiceGroup(
                    label=town.name,
                    choices=[
                        Choice(value=str(village.code), label=village.name, is_selected=False)
                        for village in divided
                        if village.parent == town.code
                    ],
                )
                for town in towns
            ],
            village_error=error,
            is_leaving=county != volunteer.book,
            county_url="/me/profile",
            action_url="/me/profile",
            back_url="/me",
        ),
        status=422 if error else 200,
    )
