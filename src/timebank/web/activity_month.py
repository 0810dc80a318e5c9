"""A month of what one can join: how many shifts each day has."""

import calendar as months
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain.period import day_start
from timebank.domain.service_field import field_of
from timebank.http.identity import PUBLIC
from timebank.http.providers import CountyScope, Kitted, Now, TimebankRequest
from timebank.queries import activities
from timebank.store.regions import list_children
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.joining import field_choices, filter_query, town_choices, town_scope
from timebank.web.parts import Choice
from timebank.web.typed import typed_month

_AHEAD = timedelta(days=366)
"""How far the months go on: nobody plans service further."""

_URL = "/activities/month"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDay:
    """One day of the month.

    Attributes:
        number: The day of the month; empty outside it.
        weekday: Such as `周五`.
        name: The whole of it as it is read out, such as `11月22日 周五，5 场`.
        count: Shifts that one can still join.
        url: The list of the day; empty where there is nothing to join.
        is_over: Before today.
    """

    number: str
    weekday: str
    name: str
    count: int
    url: str
    is_today: bool
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityMonthPage:
    """What `volunteer/month.html` shows.

    Attributes:
        chosen: The month as sent in the query, such as `2024-11`.
        previous_url: Empty for the month that is going on: what is over cannot be joined.
        next_url: Empty a year ahead.
        weekdays: Seven names, Monday first.
        days: Whole weeks.
        found: How many, as a sentence; empty for none.
        list_url: The same as a list.
    """

    month: str
    chosen: str
    action_url: str
    previous_url: str
    next_url: str
    weekdays: Sequence[str]
    days: Sequence[ActivityDay]
    fields: Sequence[Choice]
    towns: Sequence[Choice]
    found: str
    list_url: str


@get(_URL, rule=PUBLIC)
async def show_activity_month(
    request: TimebankRequest,
    county_scope: CountyScope,
    kit: Kitted,
    now: Now,
    month: Annotated[str, QueryParameter(max_length=7)] = "",
    field: Annotated[str, QueryParameter(max_length=40)] = "",
    town: Annotated[str, QueryParameter(max_length=12)] = "",
) -> Response[Any]:
    """Show on which days of a month there is something to join."""
    language = language_of(request)
    _ = translate_of(request)
    scope = town_scope(county_scope, town)
    service_field = field_of(field)
    today = words.local_day(now)
    this_month = today.replace(day=1)
    last_month = (today + _AHEAD).replace(day=1)
    first = min(max(typed_month(month) or this_month, this_month), last_month)
    after = (first + timedelta(days=31)).replace(day=1)
    async with kit.db.read() as conn:
        counts = await activities.count_upcoming(
            conn,
            scope=scope,
            zone=ZoneInfo(words.ZONE.key),
            now=now,
            until=day_start(after, zone=words.ZONE),
            field=service_field,
        )
        towns = await list_children(conn, code=county_scope.region)
    kept = filter_query(service_field, scope=scope, county=county_scope)
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    days = []
    for each in (day for week in weeks for day in week):
        count = counts.get(each, 0) if each.month == first.month else 0
        named = words.day(each, today=today, language=language)
        days.append(
            ActivityDay(
                number=str(each.day) if each.month == first.month else "",
                weekday=words.weekday(each, language=language),
                name=_("{day}，{count} 场", day=named, count=count),
                count=count,
                url=f"/activities?{kept}&day={each}" if count else "",
                is_today=each == today,
                is_over=each < today,
            )
        )
    found = sum(each.count for each in days)
    return show(
        request,
        "volunteer/month.html",
        ActivityMonthPage(
            month=words.month(first.year, first.month, language=language),
            chosen=f"{first:%Y-%m}",
            action_url=_URL,
            previous_url=""
            if first == this_month
            else f"{_URL}?{kept}&month={first - timedelta(days=1):%Y-%m}",
            next_url="" if first == last_month else f"{_URL}?{kept}&month={after:%Y-%m}",
            weekdays=[words.weekday(day, language=language) for day in weeks[0]],
            days=days,
            fields=field_choices(service_field, _),
            towns=town_choices(towns, scope=scope, county=county_scope, _=_),
            found=_("这个月 {count} 场", count=found) if found else "",
            list_url=f"/activities?{kept}",
        ),
    )
