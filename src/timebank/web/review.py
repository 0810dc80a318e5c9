"""The office's review: what looks odd, how it can be innocent, and the numbers that decide it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, VolunteerId
from timebank.domain.period import Period, day_start
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.domain.signal import Measure, Review, ReviewOutcome, SignalKind
from timebank.domain.threshold import (
    DEFAULTS,
    MONTH_DAY,
    Threshold,
    ThresholdSetting,
    in_force,
)
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import (
    Db,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import signals
from timebank.queries.review_queue import ReviewQueue, find_queue, find_queues
from timebank.services import reviewing
from timebank.services.errors import NotFoundError
from timebank.store import thresholds
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Evidence, Field, Link
from timebank.web.typed import ShortText, typed_count, typed_day

_ZONE = ZoneInfo(words.ZONE.key)
_SPANS = (30, 90, 365)
"""Days back that the queue looks at: a month, a quarter, a year."""

_Days = Annotated[int, QueryParameter(ge=1, le=400)]
_Kind = Annotated[str, QueryParameter(max_length=40)]
_Subject = Annotated[str, QueryParameter(max_length=80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """One signal in short.

    Attributes:
        name: What it is about: an activity, an organization, a volunteer's number.
        seen: What was counted, as a sentence.
        state: `waiting`, or `checking` once somebody took it up.
    """

    kind: str
    name: str
    seen: str
    hours: str
    time: str
    state: Literal["waiting", "checking"]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """What `district/review.html` shows.

    Attributes:
        entries_url: Where records are corrected; empty for who only looks.
    """

    spans: Sequence[Link]
    signals: Sequence[SignalLine]
    found: str
    samples_url: str
    approvals_url: str
    thresholds_url: str
    entries_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One entry, or one stay, that the signal points at."""

    title: str
    detail: str
    volunteer: str
    duration: str
    evidence: Evidence | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPage:
    """What `district/signal.html` shows.

    Attributes:
        why: Why somebody should look.
        innocent: How it can be innocent.
        before: What was decided before, in words; empty for nothing.
        can_review: Auditors read and do not decide.
    """

    line: SignalLine
    why: str
    innocent: str
    rows: Sequence[EvidenceRow]
    before: str
    can_review: bool
    action_url: str
    back_url: str
    outcomes: Sequence[Choice]
    reason: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdLine:
    """One number that holds today.

    Attributes:
        source: The document it is based on; our proposal says so.
    """

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdsPage:
    """What `district/thresholds.html` shows."""

    lines: Sequence[ThresholdLine]
    can_set: bool
    action_url: str
    back_url: str
    choices: Sequence[Choice]
    value: Field
    from_on: Field
    source: Field


class ReviewForm(msgspec.Struct):
    """What a reviewer decides."""

    outcome: ShortText = ""
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ThresholdForm(msgspec.Struct):
    """A number from a day on."""

    threshold: ShortText = ""
    value: ShortText = ""
    from_on: ShortText = ""
    source: Annotated[str, msgspec.Meta(max_length=400)] = ""


@get("/district/review", rule=Act.SEE_SIGNALS)
async def show_review(
    request: TimebankRequest, office_scope: OfficeScope, db: Db, now: Now, days: _Days = 90
) -> Response[Any]:
    """Show the signals of the last days, the most hours first."""
    _ = translate_of(request)
    language = language_of(request)
    queue, names = await _queue(db, office_scope, days, now=now)
    lines = [
        _line(seen, review, names, days=days, now=now, language=language, _=_)
        for seen, review in queue.waiting
    ]
    return show(
        request,
        "district/review.html",
        ReviewPage(
            spans=[
                Link(
                    label=_("近 {days} 天", days=each),
                    url=f"/district/review?days={each}",
                    is_current=each == days,
                )
                for each in _SPANS
            ],
            signals=lines,
            found=_("{count} 条要看", count=len(lines)),
            samples_url="/district/samples",
            approvals_url="/district/approvals",
            thresholds_url="/district/review/thresholds",
            entries_url="/district/entries"
            if request.user is not None and request.user.may(Act.CORRECT_ENTRIES)
            else "",
        ),
    )


@get("/district/review/signal", rule=Act.SEE_SIGNALS)
async def show_signal(
    request: TimebankRequest,
    office_scope: OfficeScope,
    db: Db,
    now: Now,
    kind: _Kind,
    subject: _Subject,
    days: _Days = 90,
) -> Response[Any]:
    """Show one signal: what was seen, in which entries, and how it can be innocent."""
    return await _show_signal(request, office_scope, db, kind, subject, days, now=now)


@post("/district/review/signal", rule=Act.REVIEW_SIGNALS, status_code=200)
async def create_review(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    data: URLEncodedBody[ReviewForm],
    db: Db,
    now: Now,
    kind: _Kind,
    subject: _Subject,
    days: _Days = 90,
) -> Response[Any]:
    """Settle a signal, or say that it is being checked, with the reason."""
    _ = translate_of(request)
    known = _kind_of(kind)
    if data.outcome not in set(ReviewOutcome):
        return await _show_signal(
            request,
            office_scope,
            db,
            kind,
            subject,
            days,
            now=now,
            form=data,
            error=_("请选择怎么处理"),
        )
    outcome = await reviewing.review_signal(
        db,
        actor=actor,
        book=_book_of(subject, office_scope),
        period=_period(days, now=now),
        kind=known,
        subject=subject,
        outcome=ReviewOutcome(data.outcome),
        reason=data.reason,
        now=now,
    )
    if isinstance(outcome, reviewing.Reviewed):
        return Redirect(f"/district/review?days={days}&done=reviewed", status_code=303)
    return await _show_signal(
        request,
        office_scope,
        db,
        kind,
        subject,
        days,
        now=now,
        form=data,
        error=_(outcome.reason.value),
    )


@get("/district/review/thresholds", rule=Act.SEE_SIGNALS)
async def show_thresholds(
    request: TimebankRequest, office_scope: OfficeScope, db: Db, now: Now
) -> Response[Any]:
    """Show the numbers that hold today, each with its source."""
    return await _show_thresholds(request, office_scope, db, now=now)


@post("/district/review/thresholds", rule=Act.REVIEW_SIGNALS, status_code=200)
async def create_threshold(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    data: URLEncodedBody[ThresholdForm],
    db: Db,
    now: Now,
) -> Response[Any]:
    """Set one of the numbers from a day on."""
    _ = translate_of(request)
    on = typed_day(data.from_on)
    errors: dict[str, str] = {}
    if on is None:
        errors["from_on"] = _("请填日期")
    if data.threshold not in set(Threshold):
        raise NotFoundError
    if on is not None:
        outcome = await reviewing.set_threshold(
            db,
            actor=actor,
            book=_book(office_scope),
            setting=ThresholdSetting(
                Threshold(data.threshold), on, typed_count(data.value), data.source
            ),
            now=now,
        )
        if isinstance(outcome, reviewing.ThresholdSet):
            return Redirect("/district/review/thresholds?done=threshold_set", status_code=303)
        code = outcome.reason.value
        field = {"value": "value", "source": "source", "past": "from_on"}[code.rpartition(".")[2]]
        errors[field] = _(code)
    return await _show_thresholds(request, office_scope, db, now=now, form=data, errors=errors)


async def _show_signal(
    request: TimebankRequest,
    office_scope: Scope,
    db: Db,
    kind: str,
    subject: str,
    days: int,
    *,
    now: datetime,
    form: ReviewForm | None = None,
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    known = _kind_of(kind)
    queue, names = await _queue(
        db, office_scope, days, now=now, book=_book_of(subject, office_scope)
    )
    found = queue.find(known, subject)
    if found is None:
        raise NotFoundError
    seen, review = found
    line = _line(seen, review, names, days=days, now=now, language=language, _=_)
    rows = await _rows(db, office_scope, seen, now=now, language=language, _=_)
    typed = form or ReviewForm()
    return show(
        request,
        "district/signal.html",
        SignalPage(
            line=line,
            why=_(f"{known.value}.why"),
            innocent=_(f"{known.value}.innocent"),
            rows=rows,
            before=""
            if review is None
            else f"{words.instant(review.reviewed_at, now=now, language=language)} · "
            f"{_(f'review_outcome.{review.outcome.value}')} · {review.reason}",
            can_review=request.user is not None and request.user.may(Act.REVIEW_SIGNALS),
            action_url=line.url,
            back_url=f"/district/review?days={days}",
            outcomes=[
                Choice(
                    value=each.value,
                    label=_(f"review_outcome.{each.value}"),
                    is_selected=each.value == (typed.outcome or ReviewOutcome.CHECKING.value),
                )
                for each in ReviewOutcome
            ],
            reason=Field(value=typed.reason, error=error),
        ),
        status=422 if error else 200,
    )


async def _rows(
    db: Db,
    scope: Scope,
    seen: Measure,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> list[EvidenceRow]:
    parts = seen.subject.split("/")
    async with db.read() as conn:
        if seen.seqs or parts[0] != "shift":
            entries = await signals.list_entries(conn, scope=scope, book=seen.book, seqs=seen.seqs)
            return [
                EvidenceRow(
                    title=each.title or _("其他县的活动"),
                    detail=words.instant(each.effective_at, now=now, language=language)
                    + (f" · {each.organization}" if each.organization else ""),
                    volunteer=_number(each.volunteer),
                    duration=words.duration(each.minutes, language=language),
                    evidence=each.evidence.value,
                    note=_(
                        "第 {seq} 条，{time}记入",
                        seq=words.count(each.seq),
                        time=words.instant(each.recorded_at, now=now, language=language),
                    )
                    + (_("，已冲正") if each.is_reversed else ""),
                )
                for each in entries
            ]
        stays = await signals.list_stays(conn, scope=scope, book=seen.book, shift=int(parts[2]))
    return [
        EvidenceRow(
            title=_number(each.volunteer),
            detail=_(
                "{time}报名", time=words.instant(each.signed_up_at, now=now, language=language)
            ),
            volunteer="",
            duration="",
            evidence=None,
            note=" · ".join(
                _(sentence, time=words.clock(at))
                for at, is_measured, by_code, by_hand in (
                    (each.arrived_at, each.arrival_measured, "{time} 扫码到", "{time} 手工记到"),
                    (each.left_at, each.departure_measured, "{time} 扫码离开", "{time} 手工记离开"),
                )
                if at is not None
                for sentence in (by_code if is_measured else by_hand,)
            ),
        )
        for each in stays
    ]


async def _show_thresholds(
    request: TimebankRequest,
    office_scope: Scope,
    db: Db,
    *,
    now: datetime,
    form: ThresholdForm | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    today = words.local_day(now)
    errors = errors or {}
    typed = form or ThresholdForm(from_on=today.isoformat())
    async with db.read() as conn:
        settings = await thresholds.list_settings(conn, book=_book(office_scope))
    held = in_force(settings, on=today)
    return show(
        request,
        "district/thresholds.html",
        ThresholdsPage(
            lines=[
                ThresholdLine(
                    name=_(each.value),
                    value=_value(each, setting.value if setting else DEFAULTS[each]),
                    source=_("本系统的建议值，没有文件依据")
                    if setting is None
                    else _(
                        "{source}，{day}起",
                        source=setting.source,
                        day=words.full_day(setting.from_on, language=language),
                    ),
                )
                for each, setting in held.items()
            ],
            can_set=request.user is not None
            and request.user.may(Act.REVIEW_SIGNALS)
            and level_of(office_scope.region) is Level.COUNTY,
            action_url="/district/review/thresholds",
            back_url="/district/review",
            choices=[
                Choice(value=each.value, label=_(each.value), is_selected=each == typed.threshold)
                for each in Threshold
            ],
            value=Field(value=typed.value, error=errors.get("value", "")),
            from_on=Field(value=typed.from_on, error=errors.get("from_on", "")),
            source=Field(value=typed.source, error=errors.get("source", "")),
        ),
        status=422 if errors else 200,
    )


async def _queue(
    db: Db, scope: Scope, days: int, *, now: datetime, book: int | None = None
) -> tuple[ReviewQueue, dict[str, str]]:
    async with db.read() as conn:
        period = _period(days, now=now)
        queue = (
            await find_queues(conn, scope=scope, period=period, zone=_ZONE)
            if book is None
            else await find_queue(conn, scope=scope, book=book, period=period, zone=_ZONE)
        )
        shown = [seen for seen, _review in queue.waiting]
        return queue, await signals.list_names(conn, scope=scope, measures=shown)


def _line(
    seen: Measure,
    review: Review | None,
    names: Mapping[str, str],
    *,
    days: int,
    now: datetime,
    language: Language,
    _: Translate,
) -> SignalLine:
    query = urlencode({"kind": seen.kind.value, "subject": seen.subject, "days": days})
    is_checking = review is not None and review.outcome is ReviewOutcome.CHECKING
    value = (
        words.duration(seen.value, language=language)
        if seen.kind in _MINUTES_OF
        else words.count(seen.value)
    )
    return SignalLine(
        kind=_(seen.kind.value),
        name=_name(seen, names, _),
        seen=_(f"{seen.kind.value}.seen").format(
            people=words.count(seen.people),
            times=words.count(seen.times),
            value=value,
            percent=words.count(seen.percent),
        ),
        hours=words.duration(seen.minutes, language=language),
        time=""
        if seen.since is None or seen.until is None
        else _span(seen.since, seen.until, now=now, language=language),
        state="checking" if is_checking else "waiting",
        url=f"/district/review/signal?{query}",
    )


_MINUTES_OF = frozenset(
    {SignalKind.LONG_DAY, SignalKind.TWO_PLACES, SignalKind.TWO_CODES, SignalKind.FULL_TIME}
)
"""Kinds whose further number is minutes."""


def _name(seen: Measure, names: Mapping[str, str], _: Translate) -> str:
    parts = seen.subject.split("/")
    if parts[0] == "volunteer":
        return _("志愿者 {digits}", digits=_number(VolunteerId(int(parts[1]), int(parts[2]))))
    return names.get("/".join(parts[:3]), seen.subject)


def _span(since: datetime, until: datetime, *, now: datetime, language: Language) -> str:
    if words.local_day(since) == words.local_day(until):
        return words.span(since, until, now=now, language=language)
    days = [words.full_day(words.local_day(at), language=language) for at in (since, until)]
    return "\N{EN DASH}".join(days)


def _number(volunteer: VolunteerId) -> str:
    return format_number(volunteer.book, volunteer.id)


def _value(threshold: Threshold, value: int) -> str:
    if threshold in MONTH_DAY:
        return f"{value // 100}-{value % 100:02}"
    return words.count(value)


def _kind_of(text: str) -> SignalKind:
    if text not in set(SignalKind):
        raise NotFoundError
    return SignalKind(text)


def _book(scope: Scope) -> int:
    return county_of(scope.region)


def _book_of(subject: str, scope: Scope) -> int:
    """Return the county whose book a subject is in; whoever sees none of it finds nothing."""
    book = typed_count("".join(subject.split("/")[1:2]))
    codes = scope.codes
    if not county_of(codes.start) <= book <= county_of(codes.stop - 1):
        raise NotFoundError
    return book


def _period(days: int, *, now: datetime) -> Period:
    """Return the local days up to and with today; whole days, so that one look is like the next."""
    tomorrow = words.local_day(now) + timedelta(days=1)
    return Period(
        day_start(tomorrow - timedelta(days=days), zone=words.ZONE),
        day_start(tomorrow, zone=words.ZONE),
    )
