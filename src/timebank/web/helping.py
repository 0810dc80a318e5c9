"""Somebody acts for a volunteer: what a helper sees and does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from timebank.domain.actor import Actor, VolunteerId
from timebank.domain.helping import HelpScope, permitted
from timebank.domain.period import day_start
from timebank.domain.signup import SignedUp, Withdrawn
from timebank.domain.volunteer_number import format_number
from timebank.http.identity import SIGNED_IN
from timebank.http.providers import CountyScope, Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.queries import activities
from timebank.queries import volunteer as own
from timebank.services import helping
from timebank.services.errors import NotFoundError
from timebank.store import consents, volunteers
from timebank.web import format as words
from timebank.web.consenting import ConsentLine, consent_line, volunteer_name
from timebank.web.frame import language_of, show, translate_of
from timebank.web.typed import BookInPath, NumberInPath

_SHIFTS_SHOWN = 12


_RECORDS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    """What `public/help.html` shows: whom one helps."""

    lines: Sequence[ConsentLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpedShift:
    """A shift that the helped volunteer can join or is in.

    Attributes:
        action_url: Where a place is taken or given back; empty where neither can be.
    """

    title: str
    time: str
    place: str
    is_signed_up: bool
    is_full: bool
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpedPage:
    """What `public/helped.html` shows.

    Attributes:
        hours: This year's time, in words; empty where records may not be seen.
        records: Title, day and time of the newest services.
    """

    name: str
    number: str
    back_url: str
    until: str
    hours: str
    life_total: str
    records: Sequence[tuple[str, str, str]]
    places: Sequence[HelpedShift]
    offers: Sequence[HelpedShift]
    can_see: bool
    can_sign_up: bool
    error: str


@get("/help", rule=SIGNED_IN)
async def show_help(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Show whom one helps."""
    _ = translate_of(request)
    async with kit.db.read() as conn:
        given = await consents.list_of_helper(conn, helper=actor.person)
        named = await volunteers.list_named(conn, volunteers=[each.volunteer for each in given])
    return show(
        request,
        "public/help.html",
        HelpPage(
            lines=[
                consent_line(
                    each,
                    who=volunteer_name(kit, named, each.volunteer, _),
                    is_helper=True,
                    request=request,
                    now=now,
                )
                for each in given
            ]
        ),
    )


@get("/help/{book:int}/{number:int}", rule=SIGNED_IN)
async def show_helped(
    request: TimebankRequest,
    book: BookInPath,
    number: NumberInPath,
    actor: SignedInActor,
    county_scope: CountyScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show what a helper may see and do for somebody; looking is written down."""
    return await _show_helped(request, kit, actor, VolunteerId(book, number), county_scope, now=now)


@post(
    "/help/{book:int}/{number:int}/shifts/{shift_book:int}/{shift:int}",
    rule=SIGNED_IN,
    status_code=200,
)
async def create_helped_signup(
    request: TimebankRequest,
    book: BookInPath,
    number: NumberInPath,
    shift_book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    county_scope: CountyScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Take a place for the volunteer whom one helps."""
    volunteer = VolunteerId(book, number)
    outcome = await helping.sign_up_for(
        kit.db, actor=actor, volunteer=volunteer, shift_book=shift_book, shift=shift, now=now
    )
    if isinstance(outcome, SignedUp):
        return Redirect(f"/help/{book}/{number}?done=helped", status_code=303)
    return await _show_helped(
        request, kit, actor, volunteer, county_scope, now=now, error=outcome.reason.value
    )


@post(
    "/help/{book:int}/{number:int}/shifts/{shift_book:int}/{shift:int}/withdrawal",
    rule=SIGNED_IN,
    status_code=200,
)
async def create_helped_withdrawal(
    request: TimebankRequest,
    book: BookInPath,
    number: NumberInPath,
    shift_book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    county_scope: CountyScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Give back the place of the volunteer whom one helps."""
    volunteer = VolunteerId(book, number)
    outcome = await helping.withdraw_for(
        kit.db,
        seal=kit.seal,
        actor=actor,
        volunteer=volunteer,
        shift_book=shift_book,
        shift=shift,
        now=now,
    )
    if isinstance(outcome, Withdrawn):
        return Redirect(f"/help/{book}/{number}?done=helped", status_code=303)
    return await _show_helped(
        request, kit, actor, volunteer, county_scope, now=now, error=outcome.reason.value
    )


async def _show_helped(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    volunteer: VolunteerId,
    county_scope: CountyScope,
    *,
    now: datetime,
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    today = words.local_day(now)
    async with kit.db.read() as conn:
        given = await consents.list_of_volunteer(conn, volunteer=volunteer)
    held = [each for each in given if each.helper == actor.person]
    seeing = permitted(held, HelpScope.SEE_RECORDS, on=today)
    signing = permitted(held, HelpScope.SIGN_UP, on=today)
    standing = seeing or signing
    if standing is None:
        raise NotFoundError
    if seeing is not None:
        await helping.look_up_for(kit.db, actor=actor, volunteer=volunteer, now=now)
    async with kit.db.read() as conn:
        named = await volunteers.list_named(conn, volunteers=[volunteer])
        hours = await own.own_hours(conn, volunteer=volunteer, year=today.year)
        records = await own.list_own_records(conn, volunteer=volunteer, limit=_RECORDS_SHOWN)
        shifts = await own.list_own_shifts(
            conn, volunteer=volunteer, since=day_start(today, zone=words.ZONE)
        )
        upcoming = await activities.list_upcoming(
            conn, scope=county_scope, volunteer=volunteer, now=now, limit=_SHIFTS_SHOWN
        )
    url = f"/help/{volunteer.book}/{volunteer.id}/shifts"
    return show(
        request,
        "public/helped.html",
        HelpedPage(
            name=volunteer_name(kit, named, volunteer, _),
            number=format_number(volunteer.book, volunteer.id),
            back_url="/help",
            until=words.full_day(standing.until_on, language=language),
            hours="" if seeing is None else words.duration(hours.year, language=language),
            life_total="" if seeing is None else words.duration(hours.lifetime, language=language),
            records=[]
            if seeing is None
            else [
                (
                    each.title or _("往年服务"),
                    words.day(words.local_day(each.effective_at), today=today, language=language),
                    words.duration(each.minutes, language=language),
                )
                for each in records
            ],
            places=[]
            if signing is None
            else [
                HelpedShift(
                    title=each.title,
                    time=words.span(each.starts_at, each.ends_at, now=now, language=language),
                    place=each.address,
                    is_signed_up=True,
                    is_full=False,
                    action_url=f"{url}/{each.shift_book}/{each.shift}/withdrawal"
                    if each.arrived_at is None and now < each.ends_at and not each.is_cancelled
                    else "",
                )
                for each in shifts
            ],
            offers=[]
            if signing is None
            else [
                HelpedShift(
                    title=each.title,
                    time=words.span(each.starts_at, each.ends_at, now=now, language=language),
                    place=each.address,
                    is_signed_up=False,
                    is_full=not each.places_left,
                    action_url=f"{url}/{each.shift_book}/{each.shift}" if each.places_left else "",
                )
                for each in upcoming
                if not each.is_signed_up
            ],
            can_see=seeing is not None,
            can_sign_up=signing is not None,
            error=_(error) if error else "",
        ),
        status=409 if error else 200,
    )
