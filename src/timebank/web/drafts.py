"""Writing a county's rules: forms over a pack's files, its cases beside, what changed in words."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files as package_files
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, QueryParameter
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.draft import DraftAct, DraftRefused
from timebank.domain.region import county_code
from timebank.http.providers import Kit, Kitted, Now, OfficeScope, SignedInActor, TimebankRequest
from timebank.policy.authoring import (
    look_through,
    nodes_of,
    typed_values,
)
from timebank.policy.document import read_document
from timebank.policy.parameter import Source
from timebank.policy.piece import PieceKind
from timebank.policy.rewriting import add_value, remove_value, set_values
from timebank.services import authoring
from timebank.services.errors import NotFoundError
from timebank.store.pack_drafts import Draft, list_drafts
from timebank.store.regions import find_region
from timebank.web import format as words
from timebank.web.catalog import Translate, has_message
from timebank.web.draft_form import FormNode, form_node, fresh_value
from timebank.web.draft_tried import (
    ALL_SECONDS,
    SHOWN_SECONDS,
    TYPING_SECONDS,
    TriedDraft,
    files_with_examples,
    tried_draft,
)
from timebank.web.draft_words import county_of_writers, differences_in_words, fault_words
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.parts import Choice, Field, Link
from timebank.web.policy_words import own_words

_Part = Annotated[str, QueryParameter(max_length=80)]
_Typed = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """One draft in the list."""

    title: str
    saved: str
    state: Literal["draft", "submitted", "enacted", "sent_back"]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftsPage:
    """What `district/drafts.html` shows."""

    drafts: Sequence[DraftLine]
    bases: Sequence[Choice]
    action_url: str
    change: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage:
    """What `district/draft.html` shows.

    Attributes:
        parts: The parts of the pack, as tabs.
        nodes: The form of the part; empty where the text is edited.
        text: The file as text, where no form is shown.
        file: The file that the part is in.
        differences: What changed against the enacted pack, in words.
        can_edit: The draft is not with a second person or in force, and the reader may write.
        pieces: What can be put in by a form of its own.
        is_own: The reader submitted it, and may take it back.
        base: The pack in force, where this is it and the reader may write changes of it.
        file_errors: Where the text is shown: what is wrong with it, line by line.
    """

    title: str
    digest: str
    state: Literal["draft", "submitted", "enacted", "sent_back"]
    saved: str
    back_url: str
    action_url: str
    try_url: str
    parts: Sequence[Link]
    part: str
    nodes: Sequence[FormNode]
    file: str
    text: str
    file_url: str
    tried: TriedDraft
    differences: Sequence[str]
    against: str
    can_edit: bool
    can_decide: bool
    citation: Field
    submitted: str
    what_if_url: str
    error: str
    pieces: Sequence[Link]
    is_own: bool
    file_errors: Sequence[str]
    base: str


@get("/district/policies/drafts", rule=Act.TRY_POLICIES)
async def show_drafts(
    request: TimebankRequest,
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    pack: _Part = "",
    parameter: _Part = "",
    values: _Part = "",
) -> Response[Any]:
    """Show the drafts of the county, and what a new one can begin with."""
    return await _show_list(
        request, kit, county_of_writers(office_scope), now=now, change=(pack, parameter, values)
    )


async def _show_list(
    request: TimebankRequest,
    kit: Kit,
    book: int,
    *,
    now: datetime,
    change: tuple[str, str, str],
    error: str = "",
) -> Response[Any]:
    language, _ = language_of(request), translate_of(request)
    async with kit.db.read() as conn:
        drafts = await list_drafts(conn, book=book)
        packs = await authoring.packs_in_force(conn, book=book)
    is_change = all(change)
    bases = [
        Choice(
            value=each.id,
            label=_("从现行的「{title}」开始", title=own_words(each.title, language)),
            is_selected=each.id == change[0],
        )
        for each in packs
        if not is_change or each.id == change[0]
    ]
    if not is_change:
        bases = [
            Choice(value="blank", label=_("从空白开始，一项一项加"), is_selected=True),
            Choice(
                value="sample",
                label=_("从样板开始：三个等级、任选一项的礼遇、活动月和礼品池"),
                is_selected=False,
            ),
            *bases,
        ]
    return show(
        request,
        "district/drafts.html",
        DraftsPage(
            drafts=[
                DraftLine(
                    title=each.title or _("还没写完的草案"),
                    saved=words.instant(each.saved_at, now=now, language=language),
                    state=_state(each),
                    url=f"/district/policies/drafts/{each.digest}",
                )
                for each in drafts
                if not each.is_followed or each.acts
            ],
            bases=bases,
            action_url="/district/policies/drafts",
            change="|".join(change) if is_change else "",
            error=error,
        ),
        status=422 if error else 200,
    )


@post("/district/policies/drafts", rule=Act.WRITE_POLICIES, status_code=200)
async def create_draft(
    request: TimebankRequest,
    office_scope: OfficeScope,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    data: _Typed,
) -> Response[Any]:
    """Begin a draft: a copy of an enacted pack, the sample, or what a what-if changed."""
    book = county_of_writers(office_scope)
    _ = translate_of(request)
    base = data.get("base", "")
    async with kit.db.read() as conn:
        region = await find_region(conn, code=county_code(book))
        files = await _files_of(conn, book, base, region="" if region is None else region.name)
    if files is None:
        return await _show_list(
            request, kit, book, now=now, change=("", "", ""), error=_("没有这个规则包")
        )
    change = data.get("change", "").split("|")
    if len(change) == 3:
        files = _with_value(files, change[1], change[2], today=words.local_day(now))
    digest = await authoring.save_draft(
        kit.db, book=book, files=files, follows=None, person=actor.person, now=now
    )
    is_amendment = base not in ("blank", "sample") and "params.toml" in files
    part = "params.toml" if is_amendment else "pack.toml"
    return Redirect(f"/district/policies/drafts/{digest}?part={part}", status_code=303)


@get("/district/policies/drafts/{digest:str}", rule=Act.TRY_POLICIES)
async def show_draft(
    request: TimebankRequest,
    digest: FromPath[str],
    office_scope: OfficeScope,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    part: _Part = "pack.toml",
    deep: _Part = "",
) -> Response[Any]:
    """Show one part of a draft as a form, with what the loader and its examples say."""
    book = county_of_writers(office_scope)
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(conn, book=book, digest=digest)
    seconds = ALL_SECONDS if deep else SHOWN_SECONDS
    return await _show(
        request, kit, book, draft, draft.files, part, actor=actor, now=now, seconds=seconds
    )


@get("/district/policies/drafts/{digest:str}/file", rule=Act.TRY_POLICIES)
async def show_draft_file(
    digest: FromPath[str], office_scope: OfficeScope, kit: Kitted, part: _Part = "pack.toml"
) -> Response[bytes]:
    """Give one file of a draft away, such as a table for a spreadsheet."""
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(
            conn, book=county_of_writers(office_scope), digest=digest
        )
    if part not in draft.files:
        raise NotFoundError
    # A spreadsheet takes a table for UTF-8 only with this mark; the loader passes it over.
    mark = b"\xef\xbb\xbf" if part.endswith(".csv") else b""
    return Response(
        mark + draft.files[part].encode(),
        media_type="text/csv; charset=utf-8" if mark else "text/plain; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{part.replace("/", "-")}"'},
    )


@post("/district/policies/drafts/{digest:str}", rule=Act.WRITE_POLICIES, status_code=200)
async def create_change(
    request: TimebankRequest,
    digest: FromPath[str],
    office_scope: OfficeScope,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    data: _Typed,
) -> Response[Any]:
    """Save, try, submit, enact or send back, as the button says; a try changes nothing."""
    book, language, _ = county_of_writers(office_scope), language_of(request), translate_of(request)
    part = data.get("part", "pack.toml")
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(conn, book=book, digest=digest)
    act = data.get("act", "save")
    if act in ("submit", "enact", "send_back"):
        refused = await _decide(kit, book, digest, act, data.get("citation", ""), actor.person, now)
        if refused is None:
            return Redirect(f"/district/policies/drafts/{digest}?part={part}", status_code=303)
        return await _show(
            request,
            kit,
            book,
            draft,
            draft.files,
            part,
            actor=actor,
            now=now,
            error=f"{translate_of(request)(refused.reason.value)} [{refused.reason.value}]",
            citation=data.get("citation", ""),
        )
    files = _typed_files(draft.files, part, data, today=words.local_day(now))
    if act == "try":
        tried = await asyncio.to_thread(
            tried_draft, files, seconds=TYPING_SECONDS, language=language, _=_
        )
        return show_part(request, "district/_tried.html", tried=tried)
    if example := data.get("example"):
        files = await asyncio.to_thread(files_with_examples, files, example, language=language, _=_)
    saved = await authoring.save_draft(
        kit.db, book=book, files=files, follows=digest, person=actor.person, now=now
    )
    return Redirect(f"/district/policies/drafts/{saved}?part={part}", status_code=303)


async def _decide(
    kit: Kit, book: int, digest: str, act: str, citation: str, person: Any, now: datetime
) -> DraftRefused | None:
    if act == "submit":
        return await authoring.submit_draft(
            kit.db, book=book, digest=digest, citation=citation, person=person, now=now
        )
    return await authoring.decide_draft(
        kit.db,
        book=book,
        digest=digest,
        act=DraftAct.ENACTED if act == "enact" else DraftAct.SENT_BACK,
        citation=citation,
        person=person,
        now=now,
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    book: int,
    draft: Draft,
    files: Mapping[str, str],
    part: str,
    *,
    actor: Any,
    now: datetime,
    error: str = "",
    citation: str = "",
    seconds: float = SHOWN_SECONDS,
) -> Response[Any]:
    language, _ = language_of(request), translate_of(request)
    if part not in files:
        part = "pack.toml"
    looked = look_through(files)
    root = None
    if part.endswith(".toml"):
        root = read_document(files[part].encode(), file=part).root
    async with kit.db.read() as conn:
        packs = await authoring.packs_in_force(conn, book=book)
    enacted = next((each for each in packs if each.id == _pack_id(files)), None)
    submitted = draft.acts.get(DraftAct.SUBMITTED)
    state = _state(draft)
    may_write = actor.may(Act.WRITE_POLICIES)
    url = f"/district/policies/drafts/{draft.digest}"
    can_edit = may_write and state in ("draft", "sent_back")
    tried = await asyncio.to_thread(
        tried_draft,
        files,
        seconds=seconds,
        language=language,
        _=_,
        url=f"{url}?part={part}",
        can_edit=can_edit,
    )
    nodes = (
        []
        if root is None or _is_text(request)
        else [form_node(each, part, looked, language=language, _=_) for each in nodes_of(root)]
    )
    return show(
        request,
        "district/draft.html",
        DraftPage(
            title=draft.title or _("还没写完的草案"),
            digest=draft.digest[:12],
            state=state,
            saved=words.instant(draft.saved_at, now=now, language=language),
            back_url="/district/policies/drafts",
            action_url=url,
            try_url=url,
            parts=[
                Link(label=_file_words(name, _), url=f"{url}?part={name}", is_current=name == part)
                for name in sorted(files, key=_file_order)
            ],
            part=part,
            nodes=nodes,
            file=part,
            text="" if nodes else files[part],
            file_url=f"{url}/file?part={part}",
            tried=tried,
            differences=(
                []
                if looked.pack is None or enacted is None
                else differences_in_words(
                    enacted, looked.pack, on=words.local_day(now), language=language, _=_
                )
            ),
            against="" if enacted is None else own_words(enacted.title, language),
            can_edit=can_edit,
            can_decide=may_write
            and state == "submitted"
            and submitted is not None
            and submitted.person != actor.person,
            citation=Field(value=citation, error=""),
            submitted=""
            if submitted is None
            else _(
                "{time}提交，依据：{citation}",
                time=words.instant(submitted.at, now=now, language=language),
                citation=submitted.citation,
            ),
            what_if_url="/district/policies/what-if",
            error=error,
            pieces=[
                Link(
                    label=_(f"piece.{each.value}"),
                    url=f"{url}/add?{urlencode({'piece': each.value, 'part': part})}",
                )
                for each in PieceKind
            ]
            if can_edit
            else [],
            is_own=may_write
            and state == "submitted"
            and submitted is not None
            and submitted.person == actor.person,
            base=draft.pack_id if may_write and state == "enacted" else "",
            file_errors=[]
            if nodes
            else [fault_words(each, _) for each in looked.problems if each.file == part],
        ),
        status=422 if error else 200,
    )


def _is_text(request: TimebankRequest) -> bool:
    return request.query_params.get("as") == "text"


def _file_words(name: str, _: Translate) -> str:
    folder, _slash, rest = name.rpartition("/")
    code = f"pack_file.{rest.partition('.')[0]}"
    if folder in ("", "rules") and has_message("zh", code):
        return _(code)
    if folder == "scenarios":
        if rest.endswith("-expected.csv"):
            return _("几个人一起 {name}：结果", name=rest.removesuffix("-expected.csv"))
        return _("几个人一起 {name}", name=rest.removesuffix(".csv"))
    return name.removeprefix("rules/").removeprefix("tables/").removesuffix(".toml")


def _file_order(name: str) -> tuple[int, str]:
    order = ("pack.toml", "params.toml")
    if name in order:
        return order.index(name), name
    last = {"cases.toml": 4}
    by_folder = {"tables": 3, "scenarios": 5}
    return last.get(name, by_folder.get(name.partition("/")[0], 2)), name


def _typed_files(
    files: Mapping[str, str], part: str, data: Mapping[str, str], *, today: date
) -> dict[str, str]:
    """Return the files with what a form changed in one of them."""
    if part not in files:
        return dict(files)
    if "text" in data:
        text = data["text"].replace("\r\n", "\n").removeprefix("\ufeff")
        return {**files, part: text}
    root = read_document(files[part].encode(), file=part).root
    if root is None:
        return dict(files)
    text = set_values(files[part], typed_values(root, data))
    instrument = _first_instrument(files)
    if add := data.get("add"):
        path, _bar, key = add.partition("|")
        fresh = fresh_value(key, today=today, instrument=instrument)
        if path == "param":
            name = data.get("new_name", "").strip() or "new_minutes"
            text = add_value(text, ["param", name], fresh)
        else:
            text = add_value(text, path.split("/"), fresh)
    if remove := data.get("remove"):
        text = remove_value(text, remove.split("/"))
    return {**files, part: text}


def _first_instrument(files: Mapping[str, str]) -> str:
    root = read_document(files.get("pack.toml", "").encode(), file="pack.toml").root or {}
    item = root.get("instrument")
    if item is not None and isinstance(item.value, list) and item.value:
        first = item.value[0].value
        if isinstance(first, dict) and "id" in first:
            return str(first["id"].value)
    return "instrument"


def _pack_id(files: Mapping[str, str]) -> str:
    root = read_document(files.get("pack.toml", "").encode(), file="pack.toml").root or {}
    head = root.get("pack")
    if head is not None and isinstance(head.value, dict) and "id" in head.value:
        return str(head.value["id"].value)
    return ""


def _with_value(
    files: Mapping[str, str], parameter: str, values: str, *, today: date
) -> dict[str, str]:
    """Return the files with a new dated value of a parameter, from next New Year's Day on."""
    numbers = [int(each) for each in values.split(",") if each.isascii() and each.isdigit()]
    for name, text in files.items():
        if not name.endswith(".toml"):
            continue
        root = read_document(text.encode(), file=name).root or {}
        item = root.get("param")
        if (
            numbers
            and item is not None
            and isinstance(item.value, dict)
            and parameter in item.value
        ):
            row = {
                "from": date(today.year + 1, 1, 1),
                "value": numbers if len(numbers) > 1 else numbers[0],
                "cite": _first_instrument(files),
                "source": Source.ASSUMED.value,
            }
            return {**files, name: add_value(text, ["param", parameter], row)}
    return dict(files)


_BLANK = """\
[pack]
id = "cn.{book}.rules"
version = "1"
status = "draft"
title = {{ zh = "{region}志愿者礼遇", en = "Courtesies for volunteers" }}
issuer = {{ zh = "{region}", en = "The county" }}

[[instrument]]
id = "measures"
title = {{ zh = "", en = "" }}
issuer = {{ zh = "{region}社会工作部", en = "Social work department" }}
"""


async def _files_of(conn: Any, book: int, base: str, *, region: str) -> dict[str, str] | None:
    """Return the files that a draft begins with: none but its name, the sample's, a pack's."""
    if base == "blank":
        return {"pack.toml": _BLANK.format(book=book, region=region)}
    for draft in await list_drafts(conn, book=book):
        if draft.pack_id == base and DraftAct.ENACTED in draft.acts:
            return dict(draft.files)
    is_sample = base == "sample"
    folder = package_files("timebank") / ("data/sample-pack" if is_sample else "packs")
    for each in [folder] if is_sample else folder.iterdir():
        if not each.is_dir():
            continue
        files = {
            f"{inner.name}/{file.name}" if inner.is_dir() else inner.name: file.read_text("utf-8")
            for inner in each.iterdir()
            for file in (inner.iterdir() if inner.is_dir() else [inner])
            if file.name.endswith((".toml", ".csv"))
        }
        if is_sample or _pack_id(files) == base:
            return files
    return None


def _state(draft: Draft) -> Literal["draft", "submitted", "enacted", "sent_back"]:
    if DraftAct.ENACTED in draft.acts:
        return "enacted"
    if DraftAct.SENT_BACK in draft.acts:
        return "sent_back"
    return "submitted" if DraftAct.SUBMITTED in draft.acts else "draft"
