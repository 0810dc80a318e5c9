"""Samples: the office draws and checks, and everybody reads what came of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.region import county_of
from timebank.domain.sample import STRATA, CheckResult, Sample, SampleItem
from timebank.domain.scope import Scope
from timebank.domain.volunteer_number import format_number
from timebank.http.identity import PUBLIC
from timebank.http.providers import (
    Db,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import signals
from timebank.services import reviewing
from timebank.services.errors import NotFoundError
from timebank.store import samples
from timebank.store.regions import list_path, list_regions
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Evidence, Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_count

_MONTHS_OFFERED = 6
"""How many months that are over can be chosen."""

_SIZE_USUAL = "30"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLine:
    """One sample in short."""

    title: str
    detail: str
    is_published: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPage:
    """What `district/samples.html` shows.

    Attributes:
        is_above: The office is above the counties, which draw and check; it reads.
    """

    lines: Sequence[SampleLine]
    can_draw: bool
    is_above: bool
    action_url: str
    back_url: str
    months: Sequence[Choice]
    size: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """One drawn entry.

    Attributes:
        result: In words; empty before the check.
        results: What can be chosen; empty where nothing can be noted any more.
    """

    seq: str
    title: str
    detail: str
    volunteer: str
    duration: str
    evidence: Evidence
    result: str
    note: str
    results: Sequence[Choice]
    action_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePage:
    """What `district/sample.html` shows.

    Attributes:
        left: How many are not checked yet, as a sentence.
        publish_url: Empty where nothing can be published.
        public_url: What everybody reads; empty before it is published.
    """

    title: str
    detail: str
    seed: str
    items: Sequence[ItemLine]
    left: str
    publish_url: str
    public_url: str
    back_url: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """What was found in one stratum."""

    name: str
    held: str
    drawn: str
    true: str
    wrong: str
    unclear: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """What `public/sample.html` shows: the result, and how to draw it again."""

    title: str
    region: str
    period: str
    published: str
    summary: str
    rows: Sequence[ResultRow]
    seed: str
    seed_size: str
    range: str
    flagged: str
    entries: str


class DrawForm(msgspec.Struct):
    """Which month is drawn from, and how many entries."""

    month: ShortText = ""
    size: ShortText = ""


class CheckForm(msgspec.Struct):
    """What the check of one entry found."""

    seq: ShortText = ""
    result: ShortText = ""
    note: Annotated[str, msgspec.Meta(max_length=600)] = ""


@get("/district/samples", rule=Act.SEE_SIGNALS)
async def show_samples(
    request: TimebankRequest, office_scope: OfficeScope, db: Db, now: Now
) -> Response[Any]:
    """Show the samples of the office's county, and the form that draws one."""
    return await _show_samples(request, office_scope, db, now=now)


@post("/district/samples", rule=Act.REVIEW_SIGNALS, status_code=200)
async def create_sample(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    data: URLEncodedBody[DrawForm],
    db: Db,
    now: Now,
) -> Response[Any]:
    """Draw a sample of a month that is over."""
    _ = translate_of(request)
    first_on = _month(data.month)
    if first_on is None:
        raise NotFoundError
    outcome = await reviewing.draw_sample(
        db,
        actor=actor,
        book=county_of(office_scope.region),
        first_on=first_on,
        after_last_on=_next_month(first_on),
        size=typed_count(data.size),
        now=now,
    )
    if isinstance(outcome, Sample):
        return Redirect(f"{_url(outcome)}?done=sample_drawn", status_code=303)
    return await _show_samples(
        request, office_scope, db, now=now, form=data, error=_(outcome.reason.value)
    )


@get("/district/samples/{book:int}/{number:int}", rule=Act.SEE_SIGNALS)
async def show_sample(
    request: TimebankRequest,
    office_scope: OfficeScope,
    book: BookInPath,
    number: NumberInPath,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Show the drawn entries, each to be checked."""
    return await _show_sample(request, office_scope, db, book, number, now=now)


@post("/district/samples/{book:int}/{number:int}", rule=Act.REVIEW_SIGNALS, status_code=200)
async def create_check(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    book: BookInPath,
    number: NumberInPath,
    data: URLEncodedBody[CheckForm],
    db: Db,
    now: Now,
) -> Response[Any]:
    """Note what the check of one entry found."""
    _ = translate_of(request)
    error = _("请选择核对的结果")
    if data.result in set(CheckResult):
        outcome = await reviewing.note_check(
            db,
            actor=actor,
            book=book,
            number=number,
            seq=typed_count(data.seq),
            result=CheckResult(data.result),
            note=data.note,
            now=now,
        )
        if isinstance(outcome, reviewing.Checked):
            return Redirect(
                f"/district/samples/{book}/{number}?done=checked#e{typed_count(data.seq)}",
                status_code=303,
            )
        error = _(outcome.reason.value)
    return await _show_sample(request, office_scope, db, book, number, now=now, error=error)


@post(
    "/district/samples/{book:int}/{number:int}/publication",
    rule=Act.REVIEW_SIGNALS,
    status_code=200,
)
async def create_publication(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    book: BookInPath,
    number: NumberInPath,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Publish what the sample found."""
    _ = translate_of(request)
    outcome = await reviewing.publish_sample(db, actor=actor, book=book, number=number, now=now)
    if isinstance(outcome, reviewing.SamplePublished):
        return Redirect(f"/samples/{book}/{number}", status_code=303)
    return await _show_sample(
        request, office_scope, db, book, number, now=now, error=_(outcome.reason.value)
    )


@get("/samples/{book:int}/{number:int}", rule=PUBLIC)
async def show_result(
    request: TimebankRequest, book: BookInPath, number: NumberInPath, db: Db
) -> Response[Any]:
    """Show everybody what a published sample found, and how to draw it again."""
    _ = translate_of(request)
    language = language_of(request)
    async with db.read() as conn:
        sample = await samples.find_sample(conn, book=book, number=number)
        if sample is None or sample.published_at is None:
            raise NotFoundError
        items = await samples.list_items(conn, book=book, number=number)
        path = await list_path(conn, code=sample.region)
    results = Counter(each.result for each in items)
    return show(
        request,
        "public/sample.html",
        ResultPage(
            title=_("{month}服务记录抽查结果", month=_month_words(sample, language)),
            region="".join(each.name for each in path[-2:]),
            period=_("{month}记入账本的服务", month=_month_words(sample, language)),
            published=words.full_day(words.local_day(sample.published_at), language=language),
            summary=_(
                "抽查 {count} 条：属实 {true} 条，不实 {wrong} 条，无法核实 {unclear} 条。",
                count=len(items),
                true=results[CheckResult.TRUE],
                wrong=results[CheckResult.WRONG],
                unclear=results[CheckResult.UNCLEAR],
            ),
            rows=_result_rows(sample, items, _),
            seed=sample.seed,
            seed_size=words.count(sample.seed_size),
            range=f"{sample.after + 1}\N{EN DASH}{sample.until_seq}",
            flagged="、".join(map(str, sample.flagged)) or _("没有"),
            entries="、".join(str(each.seq) for each in items),
        ),
    )


async def _show_samples(
    request: TimebankRequest,
    office_scope: Scope,
    db: Db,
    *,
    now: datetime,
    form: DrawForm | None = None,
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    typed = form or DrawForm(size=_SIZE_USUAL)
    codes = office_scope.codes
    books = range(county_of(codes.start), county_of(codes.stop - 1) + 1)
    async with db.read() as conn:
        found = await samples.list_samples(conn, books=books)
        drawn_in = await list_regions(conn, codes={each.region for each in found})
    names = {each.code: each.name for each in drawn_in}
    is_above = len(books) > 1
    month = words.local_day(now).replace(day=1)
    months = []
    for _turn in range(_MONTHS_OFFERED):
        month = (month - timedelta(days=1)).replace(day=1)
        months.append(month)
    return show(
        request,
        "district/samples.html",
        SamplesPage(
            lines=[
                SampleLine(
                    title=_(
                        "{month}，{size} 条", month=_month_words(each, language), size=each.size
                    ),
                    detail=(f"{names[each.region]} · " if is_above else "")
                    + _(
                        "{time}抽取", time=words.instant(each.drawn_at, now=now, language=language)
                    ),
                    is_published=each.published_at is not None,
                    url=_url(each),
                )
                for each in found
                if office_scope.covers(each.region)
            ],
            can_draw=request.user is not None
            and request.user.may(Act.REVIEW_SIGNALS)
            and not is_above,
            is_above=is_above,
            action_url="/district/samples",
            back_url="/district/review",
            months=[
                Choice(
                    value=each.isoformat()[:7],
                    label=words.month(each.year, each.month, language=language),
                    is_selected=each.isoformat()[:7] == typed.month,
                )
                for each in months
            ],
            size=Field(value=typed.size),
            error=error,
        ),
        status=409 if error else 200,
    )


async def _show_sample(
    request: TimebankRequest,
    office_scope: Scope,
    db: Db,
    book: int,
    number: int,
    *,
    now: datetime,
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with db.read() as conn:
        sample = await samples.find_sample(conn, book=book, number=number)
        if sample is None or not office_scope.covers(sample.region):
            raise NotFoundError
        items = await samples.list_items(conn, book=book, number=number)
        entries = {
            each.seq: each
            for each in await signals.list_entries(
                conn, scope=office_scope, book=book, seqs=[each.seq for each in items]
            )
        }
    can_note = request.user is not None and request.user.may(Act.REVIEW_SIGNALS)
    is_open = sample.published_at is None and can_note
    left = sum(each.result is None for each in items)
    return show(
        request,
        "district/sample.html",
        SamplePage(
            title=_("{month}，{size} 条", month=_month_words(sample, language), size=len(items)),
            detail=_(
                "第 {first} 到 {last} 条记录里抽取",
                first=words.count(sample.after + 1),
                last=words.count(sample.until_seq),
            ),
            seed=sample.seed,
            items=[
                _item(each, entries[each.seq], sample, is_open, now=now, language=language, _=_)
                for each in items
                if each.seq in entries
            ],
            left=_("还有 {count} 条没有核对", count=left) if left else _("全部核对过了"),
            publish_url=f"{_url(sample)}/publication" if is_open and not left else "",
            public_url="" if sample.published_at is None else f"/samples/{book}/{number}",
            back_url="/district/samples",
            error=error,
        ),
        status=409 if error else 200,
    )


def _item(
    item: SampleItem,
    entry: signals.EvidenceEntry,
    sample: Sample,
    is_open: bool,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> ItemLine:
    return ItemLine(
        seq=str(item.seq),
        title=entry.title or _("其他县的活动"),
        detail=words.instant(entry.effective_at, now=now, language=language)
        + (f" · {entry.organization}" if entry.organization else ""),
        volunteer=format_number(entry.volunteer.book, entry.volunteer.id),
        duration=words.duration(entry.minutes, language=language),
        evidence=entry.evidence.value,
        result="" if item.result is None else _(f"check_result.{item.result.value}"),
        note=item.note or "",
        results=[
            Choice(
                value=each.value,
                label=_(f"check_result.{each.value}"),
                is_selected=each is item.result,
            )
            for each in CheckResult
        ]
        if is_open
        else [],
        action_url=_url(sample),
    )


def _result_rows(sample: Sample, items: Sequence[SampleItem], _: Translate) -> list[ResultRow]:
    found: Mapping[tuple[str, CheckResult | None], int] = Counter(
        (each.stratum.code, each.result) for each in items
    )
    drawn = Counter(each.stratum.code for each in items)
    return [
        ResultRow(
            name=_(f"evidence.{stratum.evidence.value}")
            + (_("，组织者有待查异常") if stratum.is_flagged else ""),
            held=words.count(sample.counts[stratum.code]),
            drawn=str(drawn[stratum.code]),
            true=str(found.get((stratum.code, CheckResult.TRUE), 0)),
            wrong=str(found.get((stratum.code, CheckResult.WRONG), 0)),
            unclear=str(found.get((stratum.code, CheckResult.UNCLEAR), 0)),
        )
        for stratum in STRATA
        if sample.counts.get(stratum.code)
    ]


def _month_words(sample: Sample, language: Language) -> str:
    return words.month(sample.first_on.year, sample.first_on.month, language=language)


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _next_month(first_on: date) -> date:
    return (first_on + timedelta(days=31)).replace(day=1)


def _url(sample: Sample) -> str:
    return f"/district/samples/{sample.book}/{sample.number}"
