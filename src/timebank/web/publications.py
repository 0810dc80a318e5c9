"""Reports that were frozen: a page that anybody may see and check, and the desk that makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from timebank.db import Database
from timebank.domain import region as divisions
from timebank.domain.actor import Act
from timebank.domain.definition import Definition, definition_on
from timebank.domain.publication import (
    PublishedRow,
    Reference,
    Refused,
    digest_of,
    parse_reference,
)
from timebank.domain.scope import Scope
from timebank.domain.window import parse_window, window_of
from timebank.http.identity import PUBLIC
from timebank.http.providers import (
    CountyScope,
    Db,
    Kitted,
    Now,
    OfficeScope,
    SignedInActor,
    TimebankRequest,
)
from timebank.services.errors import NotFoundError
from timebank.services.publication import (
    CountedAgain,
    Since,
    count_again,
    keep_file,
    publish_report,
)
from timebank.store import publications
from timebank.store.definitions import ACTIVE_RATE, list_definitions_of
from timebank.store.publications import KeptPublication, PublicationLine
from timebank.store.regions import find_region, list_children, list_regions
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.code_picture import code_picture
from timebank.web.district_frame import offered_definitions
from timebank.web.evidence import evidence_shares
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, CodePicture, EvidenceShares
from timebank.web.publication_paper import publication_pdf, publication_xlsx
from timebank.web.publication_words import (
    definition_name,
    definition_sentence,
    is_of_residents,
    level_names,
    number_words,
    population_words,
    rate_words,
    residents_words,
    title_words,
)

_YEARS_OFFERED = 5
"""How many past years the office can choose from."""

_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRow:
    """One division of a publication.

    Attributes:
        width: Percent of the longest rate, whole: how long its bar is.
    """

    rank: str
    name: str
    rate: str
    active: str
    registered: str
    residents: str
    hours: str
    width: int
    shares: EvidenceShares


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationGroup:
    """The divisions below one of them."""

    name: str
    rows: Sequence[PublicationRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedNumber:
    """A published number that would be another now."""

    where: str
    what: str
    published: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Afterword:
    """What was learned after a publication.

    Attributes:
        as_of: The entry as of which this is said.
        changed: The numbers of the whole that would be others now; empty where none would.
        places: How many divisions below would say something else.
        reasons: Why, a sentence each; the same words as whoever corrected it wrote down.
        successor: The address of the newest publication of the same; empty where this is it.
    """

    as_of: str
    changed: Sequence[ChangedNumber]
    places: str
    reasons: Sequence[str]
    successor: str
    successor_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationPage:
    """What `public/publication.html` shows.

    Attributes:
        corrects: Which number this one corrects, in words; empty where none.
        rate: As its definition shows it; empty where it is not known.
        rate_unit: Such as `/ 万人`; empty where the rate carries its own.
        groups: The villages by town; empty below the town.
        log: The signed log: its name, size and root.
        again_url: Where the office posts to have it made again; empty for anybody else.
    """

    title: str
    number: str
    published: str
    corrects: str
    corrects_url: str
    region: str
    rate: str
    rate_unit: str
    rate_percent: str
    rate_head: str
    definition: str
    definition_name: str
    counts: Sequence[tuple[str, str]]
    shares: EvidenceShares
    level: str
    rows: Sequence[PublicationRow]
    group_level: str
    groups: Sequence[PublicationGroup]
    sources: str
    book: str
    seq: str
    counted: str
    log: tuple[str, str, str]
    digest: str
    url: str
    code: CodePicture
    pdf_url: str
    xlsx_url: str
    json_url: str
    list_url: str
    afterword: Afterword
    again_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationCard:
    """One publication in a list."""

    title: str
    number: str
    definition: str
    published: str
    digest: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationsPage:
    """What `public/publications.html` shows."""

    region: str
    cards: Sequence[PublicationCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPage:
    """What `district/publications.html` shows.

    Attributes:
        publish_url: Where the form is posted; empty for somebody who may not publish here.
        error: Why it was not published; empty where it was not tried.
    """

    region: str
    cards: Sequence[PublicationCard]
    publish_url: str
    years: Sequence[Choice]
    regions: Sequence[Choice]
    definitions: Sequence[Choice]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAgain:
    """One thing that was made again.

    Attributes:
        is_same: It is the same, byte for byte; None where nothing was kept to compare with.
        kept: The digest of what was handed out.
        made: The digest of what was made now.
    """

    name: str
    is_same: bool | None
    kept: str
    made: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAgainPage:
    """What `district/publication_again.html` shows."""

    title: str
    number: str
    url: str
    is_same: bool
    seq: str
    parts: Sequence[MadeAgain]
    afterword: Afterword


class PublishForm(msgspec.Struct):
    """What the office chooses."""

    year: Annotated[str, msgspec.Meta(max_length=4)] = ""
    region: Annotated[str, msgspec.Meta(max_length=12)] = ""
    definition: Annotated[str, msgspec.Meta(max_length=100)] = ""


@get("/publications", rule=PUBLIC)
async def show_publications(
    request: TimebankRequest, county_scope: CountyScope, db: Db
) -> Response[Any]:
    """Show what a county has published, the newest first."""
    _ = translate_of(request)
    region, cards = await _list(db, county_scope, language=language_of(request), _=_)
    return show(request, "public/publications.html", PublicationsPage(region=region, cards=cards))


@get("/publications/{reference:str}", rule=PUBLIC)
async def show_publication(
    request: TimebankRequest, reference: FromPath[str], kit: Kitted
) -> Response[Any]:
    """Show a publication as it was frozen, and beside it what was learned since."""
    kept = await _find(kit.db, reference)
    since = await kit.afterwards.find(kept)
    may_check = _may_check(request, kept)
    return show(
        request,
        "public/publication.html",
        _page(
            kept,
            since,
            may_check=may_check,
            language=language_of(request),
            _=translate_of(request),
        ),
    )


@get("/publications/{reference:str}/publication.json", rule=PUBLIC)
async def show_json(reference: FromPath[str], db: Db) -> Response[bytes]:
    """Send the bytes of a publication: those whose digest is printed on it."""
    kept = await _find(db, reference)
    return _file(kept, kept.content, suffix="json", media_type="application/json")


@get("/publications/{reference:str}/publication.pdf", rule=PUBLIC)
async def show_pdf(reference: FromPath[str], db: Db) -> Response[bytes]:
    """Send the PDF of a publication as it was first handed out."""
    return await _send_file(db, reference, "pdf")


@get("/publications/{reference:str}/publication.xlsx", rule=PUBLIC)
async def show_xlsx(reference: FromPath[str], db: Db) -> Response[bytes]:
    """Send the workbook of a publication as it was first handed out."""
    return await _send_file(db, reference, "xlsx")


@get("/district/publications", rule=Act.SEE_REPORTS)
async def show_desk(
    request: TimebankRequest,
    actor: SignedInActor,
    office_scope: OfficeScope,
    db: Db,
    now: Now,
) -> Response[Any]:
    """Show what was published in the office's division, and the form for the next one."""
    page = await _desk(
        request, db, office_scope, may_publish=actor.may(Act.PUBLISH_REPORTS), now=now
    )
    return show(request, "district/publications.html", page)


@post("/district/publications", rule=Act.PUBLISH_REPORTS, status_code=200)
async def create_publication(
    request: TimebankRequest,
    data: URLEncodedBody[PublishForm],
    actor: SignedInActor,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Freeze a report of the office's division and go to its page."""
    _ = translate_of(request)
    scope, year = _narrowed(office_scope, data.region), _year(data.year)
    async with kit.db.read() as conn:
        known = await list_definitions_of(conn, region=office_scope.region)
    definition = definition_on(known, data.definition, on=words.local_day(now))
    if scope is None or year is None or definition is None:
        error = _("请从列表里选择年份、区划和口径")
    else:
        outcome = await publish_report(
            kit.db,
            scope=scope,
            window=window_of(definition.window, on=date(year, 12, 31)),
            definition=definition,
            key=None if kit.log_key is None else kit.log_key(),
            url=kit.url,
            person=actor.person,
            now=now,
        )
        if not isinstance(outcome, Refused):
            reference = outcome.publication.reference
            await make_files(kit.db, await _find(kit.db, str(reference)))
            return Redirect(f"/publications/{reference}?done=report_published", status_code=303)
        error = _(outcome.reason)
    page = await _desk(
        request, kit.db, office_scope, may_publish=True, now=now, form=data, error=error
    )
    return show(request, "district/publications.html", page, status=422)


@post("/district/publications/{reference:str}/again", rule=Act.SEE_REPORTS, status_code=200)
async def create_again(
    request: TimebankRequest, reference: FromPath[str], office_scope: OfficeScope, kit: Kitted
) -> Response[Any]:
    """Make a publication again from the journal and say whether every byte is the same."""
    kept = await _find(kit.db, reference)
    if not office_scope.covers(kept.publication.region):
        raise NotFoundError
    again = await count_again(kit.db, reference=kept.publication.reference)
    _ = translate_of(request)
    parts = [_compared(_("公报数据"), kept.content, again.counted)]
    for suffix, content in (await _made(again)).items():
        async with kit.db.read() as conn:
            held = await publications.find_file(
                conn, reference=kept.publication.reference, file_format=suffix
            )
        parts.append(_compared(suffix.upper(), held, content))
    since = await kit.afterwards.find(kept)
    return show(
        request,
        "district/publication_again.html",
        MadeAgainPage(
            title=title_words(
                kept.publication.top.name,
                kept.publication.window,
                language=language_of(request),
                _=_,
            ),
            number=number_words(kept.publication.reference, _),
            url=f"/publications/{kept.publication.reference}",
            is_same=all(each.is_same is not False for each in parts),
            seq=words.count(kept.publication.seq),
            parts=parts,
            afterword=_afterword(kept, since, has_reasons=True, language=language_of(request), _=_),
        ),
    )


async def make_files(db: Database, kept: KeptPublication) -> dict[str, bytes]:
    """Make the files of a publication and keep them; return them by their format."""
    publication = kept.publication
    made = {
        "pdf": await publication_pdf(publication, content=kept.content),
        "xlsx": publication_xlsx(publication, content=kept.content),
    }
    for suffix, content in made.items():
        await keep_file(db, reference=publication.reference, file_format=suffix, content=content)
    return made


async def _made(again: CountedAgain) -> Mapping[str, bytes]:
    return {
        "pdf": await publication_pdf(again.publication, content=again.counted),
        "xlsx": publication_xlsx(again.publication, content=again.counted),
    }


def _compared(name: str, kept: bytes | None, made: bytes) -> MadeAgain:
    return MadeAgain(
        name=name,
        is_same=None if kept is None else kept == made,
        kept="" if kept is None else digest_of(kept),
        made=digest_of(made),
    )


async def _find(db: Database, text: str) -> KeptPublication:
    try:
        reference = parse_reference(text)
    except ValueError:
        raise NotFoundError from None
    async with db.read() as conn:
        kept = await publications.find_publication(conn, reference=reference)
    if kept is None:
        raise NotFoundError
    return kept


async def _send_file(db: Database, text: str, suffix: str) -> Response[bytes]:
    kept = await _find(db, text)
    async with db.read() as conn:
        content = await publications.find_file(
            conn, reference=kept.publication.reference, file_format=suffix
        )
    if content is None:
        content = (await make_files(db, kept))[suffix]
    return _file(kept, content, suffix=suffix, media_type=_MEDIA_TYPES[suffix])


def _file(
    kept: KeptPublication, content: bytes, *, suffix: str, media_type: str
) -> Response[bytes]:
    name = f"publication-{kept.publication.reference}.{suffix}"
    return Response(
        content,
        media_type=media_type,
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            # It never changes; a reader's program may ask whether it still has it.
            "cache-control": "public, max-age=3600",
            "etag": f'"{digest_of(content)}"',
        },
    )


def _may_check(request: TimebankRequest, kept: KeptPublication) -> bool:
    actor = request.user
    return (
        actor is not None
        and actor.may(Act.SEE_REPORTS)
        and actor.scope is not None
        and actor.scope.covers(kept.publication.region)
    )


async def _list(
    db: Database, scope: Scope, *, language: Language, _: Translate
) -> tuple[str, list[PublicationCard]]:
    codes = scope.codes
    async with db.read() as conn:
        region = await find_region(conn, code=scope.region)
        lines = await publications.list_publications(
            conn,
            codes=codes,
            books=range(divisions.county_of(codes.start), divisions.county_of(codes.stop - 1) + 1),
        )
        found = await list_regions(conn, codes={line.region for line in lines})
        names = {each.code: each.name for each in found}
        known = await list_definitions_of(conn, region=scope.region)
    return (
        "" if region is None else region.name,
        [_card(line, names.get(line.region, ""), known, language=language, _=_) for line in lines],
    )


def _card(
    line: PublicationLine,
    name: str,
    known: Sequence[Definition],
    *,
    language: Language,
    _: Translate,
) -> PublicationCard:
    definition = definition_on(known, line.definition, on=words.local_day(line.published_at))
    return PublicationCard(
        title=title_words(name, parse_window(line.period), language=language, _=_),
        number=number_words(line.reference, _),
        definition="" if definition is None else definition.name[language],
        published=_(
            "{day}发布",
            day=words.full_day(words.local_day(line.published_at), language=language),
        ),
        digest=line.digest[:12],
        url=f"/publications/{line.reference}",
    )


async def _desk(
    request: TimebankRequest,
    db: Database,
    scope: Scope,
    *,
    may_publish: bool,
    now: datetime,
    form: PublishForm | None = None,
    error: str = "",
) -> PublishPage:
    language = language_of(request)
    _ = translate_of(request)
    region, cards = await _list(db, scope, language=language, _=_)
    is_below = divisions.level_of(scope.region) not in (
        divisions.Level.PROVINCE,
        divisions.Level.CITY,
    )
    async with db.read() as conn:
        below = [(each.code, each.name) for each in await list_children(conn, code=scope.region)]
        known = await list_definitions_of(conn, region=scope.region)
    last = words.local_day(now).year - 1
    chosen = form or PublishForm(year=str(last), region=str(scope.region))
    return PublishPage(
        region=region,
        cards=cards,
        publish_url="/district/publications" if may_publish and is_below else "",
        years=[
            Choice(value=str(year), label=str(year), is_selected=str(year) == chosen.year)
            for year in range(last, last - _YEARS_OFFERED, -1)
        ],
        regions=[
            Choice(value=str(code), label=name, is_selected=str(code) == chosen.region)
            for code, name in [(scope.region, region), *below]
        ],
        definitions=[
            Choice(
                value=each.id,
                label=each.name[language],
                is_selected=each.id == (chosen.definition or ACTIVE_RATE),
            )
            for each in offered_definitions(known, on=words.local_day(now))
        ],
        error=error,
    )


def _narrowed(scope: Scope, text: str) -> Scope | None:
    try:
        return scope.narrowed(divisions.parse_code(text))
    except ValueError:
        return None


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isascii() and text.isdigit() else None


def _page(
    kept: KeptPublication,
    since: Since,
    *,
    may_check: bool,
    language: Language,
    _: Translate,
) -> PublicationPage:
    publication, said = kept.publication, kept.publication.definition
    top = publication.top
    below = publication.children(top.region)
    longest = max((row.rate or 0 for row in below), default=0) or 1
    levels = level_names(_)
    reference = publication.reference
    head = publication.head
    url = f"/publications/{reference}"
    return PublicationPage(
        title=title_words(top.name, publication.window, language=language, _=_),
        number=number_words(reference, _),
        published=_(
            "{day}发布",
            day=words.full_day(words.local_day(publication.published_at), language=language),
        ),
        corrects=""
        if publication.corrects is None
        else _("本号更正第 {number} 号。", number=publication.corrects),
        corrects_url=""
        if publication.corrects is None
        else f"/publications/{Reference(reference.book, publication.corrects)}",
        region=top.name,
        rate=rate_words(top.rate, said),
        rate_unit=_("/ 万人") if is_of_residents(said) else "",
        rate_percent=words.percent(top.active, top.residents.count)
        if is_of_residents(said) and top.residents is not None and top.residents.count
        else "",
        rate_head=_("每万人") if is_of_residents(said) else _("活跃率"),
        definition=definition_sentence(said, publication.window, language=language, _=_),
        definition_name=definition_name(said, language=language, _=_),
        counts=[
            (_("活跃志愿者"), words.count(top.active)),
            (_("注册志愿者"), words.count(top.registered)),
            (_("常住人口"), residents_words(top.residents) or _("不知道")),
            (_("服务人次"), words.count(top.services)),
            (_("服务时间"), words.hours(top.minutes, language=language)),
        ],
        shares=_shares(top),
        level=levels.get(below[0].level, "") if below else "",
        rows=_rows(below, said, longest=longest, language=language, _=_),
        group_level=levels[divisions.Level.VILLAGE],
        groups=[
            PublicationGroup(
                name=each.name, rows=_rows(rows, said, longest=longest, language=language, _=_)
            )
            for each in below
            if (rows := publication.children(each.region))
        ],
        sources=population_words(publication, language=language, _=_),
        book=str(reference.book),
        seq=words.count(publication.seq),
        counted=f"{words.full_day(words.local_day(publication.counted_at), language=language)} "
        f"{words.clock(publication.counted_at)}",
        log=(head.origin, words.count(head.size), head.root),
        digest=digest_of(kept.content),
        url=publication.url,
        code=code_picture(publication.url),
        pdf_url=f"{url}/publication.pdf",
        xlsx_url=f"{url}/publication.xlsx",
        json_url=f"{url}/publication.json",
        list_url="/publications",
        afterword=_afterword(kept, since, has_reasons=may_check, language=language, _=_),
        again_url=f"/district/publications/{reference}/again" if may_check else "",
    )


def _rows(
    rows: Sequence[PublishedRow],
    said: Mapping[str, Any],
    *,
    longest: int,
    language: Language,
    _: Translate,
) -> list[PublicationRow]:
    return [
        PublicationRow(
            rank=str(place) if row.rate is not None else "",
            name=row.name,
            rate=rate_words(row.rate, said) or _("不知道"),
            active=words.count(row.active),
            registered=words.count(row.registered),
            residents=residents_words(row.residents) or _("不知道"),
            hours=words.hours(row.minutes, language=language),
            width=min((row.rate or 0) * 100 // longest, 100),
            shares=_shares(row),
        )
        for place, row in enumerate(rows, 1)
    ]


def _shares(row: PublishedRow) -> EvidenceShares:
    return evidence_shares((row.minutes_scanned, row.minutes_confirmed, row.minutes_declared))


def _afterword(
    kept: KeptPublication,
    since: Since,
    *,
    has_reasons: bool,
    language: Language,
    _: Translate,
) -> Afterword:
    """Return what was learned since.

    What somebody wrote down as a reason may name people: it is for the office.
    """
    region = kept.publication.region
    top = next((each for each in since.differences if each.region == region), None)
    names = {
        "registered": _("注册志愿者"),
        "active": _("活跃志愿者"),
        "services": _("服务人次"),
        "minutes_scanned": _("扫码的时间"),
        "minutes_confirmed": _("确认的时间"),
        "minutes_declared": _("补录的时间"),
    }

    def said(field: str, value: int) -> str:
        if field.startswith("minutes"):
            return words.duration(value, language=language)
        return words.count(value)

    changes = since.changes
    reasons = []
    if changes.taken_back:
        reasons.append(
            _(
                "冲正 {count} 笔，共 {time}",
                count=words.count(changes.taken_back),
                time=words.duration(changes.taken_back_minutes, language=language),
            )
        )
    reasons += [
        _(
            "其中 {count} 笔：{reason}",
            count=words.count(each.entries),
            reason=each.text or _("没有写明原因"),
        )
        for each in (changes.reasons if has_reasons else ())
    ]
    if changes.late:
        reasons.append(
            _(
                "发布后补记 {count} 笔，共 {time}",
                count=words.count(changes.late),
                time=words.duration(changes.late_minutes, language=language),
            )
        )
    if since.differences and not (changes.taken_back or changes.late):
        reasons.append(_("有人后来登记了搬家、加入或退出"))
    return Afterword(
        as_of=words.count(since.seq),
        changed=[]
        if top is None
        else [
            ChangedNumber(
                where=top.name,
                what=names[field],
                published=said(field, published),
                now=said(field, now),
            )
            for field, (published, now) in top.fields.items()
        ],
        places=words.count(sum(each.region != region for each in since.differences))
        if since.differences
        else "",
        reasons=reasons if since.differences else [],
        successor="" if since.successor is None else f"/publications/{since.successor}",
        successor_number="" if since.successor is None else number_words(since.successor, _),
    )
