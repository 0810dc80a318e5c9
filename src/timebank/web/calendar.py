"""Calendars: a month of an organization's shifts, and the address for one's own program."""

import calendar as months
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, OrganizationId, VolunteerId
from timebank.domain.calendar_file import Event, calendar_file
from timebank.domain.period import Period
from timebank.domain.sign_in import token_hash_of
from timebank.http.identity import PUBLIC
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import calendar
from timebank.queries.calendar import CalendarShift
from timebank.services import calendar_feed
from timebank.services.errors import NotFoundError
from timebank.store import calendar_feeds
from timebank.store.calendar_feeds import FeedOwner
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.typed import typed_month

_TOKEN_BYTES = 24
"""Of an address: 192 bits, which nobody guesses."""

_FEED_BACK = timedelta(days=60)
_FEED_AHEAD = timedelta(days=366)
"""How much of the past and of the future a feed shows."""

_TITLE_LETTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPart:
    """The address for a calendar program (`parts/_feed.html`).

    Attributes:
        address: Shown once, right after it was made; empty otherwise.
        made: When the one that works was made, in words; empty where none does.
    """

    address: str
    made: str
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """What `volunteer/calendar.html` shows."""

    feed: FeedPart
    back_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthShift:
    """One shift in a day's cell."""

    time: str
    title: str
    url: str
    is_cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDay:
    """One day of the month's grid.

    Attributes:
        label: The day of the month; empty outside it.
        url: The organizer's page of the day.
    """

    label: str
    name: str
    url: str
    is_today: bool
    shifts: Sequence[MonthShift]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPage:
    """What `organizer/calendar.html` shows.

    Attributes:
        weekdays: Seven names, Monday first.
        weeks: Rows of seven days.
    """

    month: str
    previous_url: str
    next_url: str
    weekdays: Sequence[str]
    weeks: Sequence[Sequence[MonthDay]]
    count: str
    feed: FeedPart


class FeedForm(msgspec.Struct):
    """Make an address, or revoke the one that works."""

    act: Annotated[str, msgspec.Meta(max_length=10)] = ""


@get("/organizer/calendar", rule=Act.RUN_ACTIVITIES)
async def show_month(
    request: TimebankRequest,
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    month: Annotated[str, QueryParameter(max_length=7)] = "",
) -> Response[Any]:
    """Show a month of the organization's shifts."""
    return await _show_month(request, kit, actor, organizations, month, now=now)


@post("/organizer/calendar", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_team_feed(
    request: TimebankRequest,
    actor: SignedInActor,
    organizations: OwnOrganizations,
    data: URLEncodedBody[FeedForm],
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Make the address of the organization's calendar, or revoke it."""
    address = await _change_feed(kit, actor, organizations[0], data, now=now)
    if not address:
        return Redirect("/organizer/calendar?done=feed_revoked", status_code=303)
    return await _show_month(request, kit, actor, organizations, "", now=now, address=address)


@get("/me/calendar", rule=Act.SEE_OWN_RECORDS)
async def show_own_feed(
    request: TimebankRequest, actor: SignedInActor, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show how to have one's shifts in one's own calendar."""
    return await _show_own_feed(request, kit, actor, volunteer, now=now)


@post("/me/calendar", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_own_feed(
    request: TimebankRequest,
    actor: SignedInActor,
    volunteer: OwnVolunteer,
    data: URLEncodedBody[FeedForm],
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Make the address of one's own calendar, or revoke it."""
    address = await _change_feed(kit, actor, volunteer, data, now=now)
    if not address:
        return Redirect("/me/calendar?done=feed_revoked", status_code=303)
    return await _show_own_feed(request, kit, actor, volunteer, now=now, address=address)


@get("/calendar/{name:str}", rule=PUBLIC)
async def show_feed(kit: Kitted, now: Now, name: FromPath[str]) -> Response[bytes]:
    """Send the shifts of an address as a calendar file; whoever has the address may read it."""
    token = name.removesuffix(".ics")
    if not name.endswith(".ics") or not token.isascii() or len(token) > 2 * _TOKEN_BYTES:
        raise NotFoundError
    period = Period(now - _FEED_BACK, now + _FEED_AHEAD)
    async with kit.db.read() as conn:
        feed = await calendar_feeds.find_feed(conn, token_hash=token_hash_of(token.encode()))
        if feed is None:
            raise NotFoundError
        owner = feed.owner
        shifts = (
            await calendar.list_of_volunteer(conn, volunteer=owner, period=period)
            if isinstance(owner, VolunteerId)
            else await calendar.list_of_organizations(conn, organizations=[owner], period=period)
        )
    content = calendar_file([_event(each, kit, owner) for each in shifts], name="志愿服务", now=now)
    return Response(
        content,
        media_type="text/calendar; charset=utf-8",
        headers={"cache-control": "private, max-age=300", "referrer-policy": "no-referrer"},
    )


def _event(shift: CalendarShift, kit: Kit, owner: FeedOwner) -> Event:
    host = kit.url.partition("://")[2].partition("/")[0]
    page = (
        f"/activities/{shift.shift_book}/{shift.activity}"
        if isinstance(owner, VolunteerId)
        else f"/organizer/shifts/{shift.shift_book}/{shift.shift}"
    )
    return Event(
        uid=f"shift-{shift.shift_book}-{shift.shift}@{host}",
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        summary=shift.title,
        location=words.address(shift.town, shift.address),
        description=f"{shift.organization}\n{shift.content}",
        url=f"{kit.url}{page}",
        is_cancelled=shift.is_cancelled,
    )


async def _change_feed(
    kit: Kit, actor: Actor, owner: FeedOwner, form: FeedForm, *, now: datetime
) -> str:
    """Return the new address, or nothing where the old one was revoked."""
    if form.act != "make":
        await calendar_feed.revoke_feed(kit.db, actor=actor, owner=owner, now=now)
        return ""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await calendar_feed.make_feed(kit.db, actor=actor, owner=owner, token=token.encode(), now=now)
    return f"{kit.url}/calendar/{token}.ics"


async def _feed(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    owner: FeedOwner,
    *,
    now: datetime,
    address: str,
    url: str,
) -> FeedPart:
    async with kit.db.read() as conn:
        made_at = await calendar_feeds.find_made_at(conn, owner=owner, made_by=actor.person)
    language = language_of(request)
    return FeedPart(
        address=address,
        made="" if made_at is None else words.instant(made_at, now=now, language=language),
        action_url=url,
    )


async def _show_own_feed(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    volunteer: VolunteerId,
    *,
    now: datetime,
    address: str = "",
) -> Response[Any]:
    feed = await _feed(request, kit, actor, volunteer, now=now, address=address, url="/me/calendar")
    return show(request, "volunteer/calendar.html", FeedPage(feed=feed, back_url="/me"))


async def _show_month(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    organizations: Sequence[OrganizationId],
    month: str,
    *,
    now: datetime,
    address: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    today = words.local_day(now)
    first = typed_month(month) or today.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    async with kit.db.read() as conn:
        shifts = await calendar.list_of_organizations(
            conn,
            organizations=organizations,
            period=Period.of_days(first, after, zone=words.ZONE),
        )
    by_day: dict[date, list[CalendarShift]] = defaultdict(list)
    for each in shifts:
        by_day[words.local_day(each.starts_at)].append(each)
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    feed = await _feed(
        request,
        kit,
        actor,
        organizations[0],
        now=now,
        address=address,
        url="/organizer/calendar",
    )
    return show(
        request,
        "organizer/calendar.html",
        MonthPage(
            month=words.month(first.year, first.month, language=language),
            previous_url=f"/organizer/calendar?month={first - timedelta(days=1):%Y-%m}",
            next_url=f"/organizer/calendar?month={after:%Y-%m}",
            weekdays=[words.weekday(day, language=language) for day in weeks[0]],
            weeks=[
                [
                    MonthDay(
                        label=str(day.day) if day.month == first.month else "",
                        name=words.full_day(day, language=language),
                        url=f"/organizer?day={day}",
                        is_today=day == today,
                        shifts=[
                            MonthShift(
                                time=words.clock(each.starts_at),
                                title=each.title[:_TITLE_LETTERS],
                                url=f"/organizer/shifts/{each.shift_book}/{each.shift}",
                                is_cancelled=each.is_cancelled,
                            )
                            for each in by_day[day]
                        ]
                        if day.month == first.month
                        else [],
                    )
                    for day in week
                ]
                for week in weeks
            ],
            count=_("这个月 {count} 场", count=len(shifts)),
            feed=feed,
        ),
    )
