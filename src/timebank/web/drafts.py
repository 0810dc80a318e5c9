"""Writing a county's rules: forms over a pack's files, its cases beside, what changed in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files as package_files
from typing import Annotated, Any, Literal

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, QueryParameter
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.domain.draft import DraftAct, DraftRefused
from timebank.domain.region import Level, county_of, level_of
from timebank.domain.scope import Scope
from timebank.http.providers import Kit, Kitted, Now, OfficeScope, SignedInActor, TimebankRequest
from timebank.policy.authoring import (
    Kind,
    Looked,
    Node,
    look_through,
    nodes_of,
    typed_values,
)
from timebank.policy.check import run_cases, unseen_outcomes
from timebank.policy.condition import Op, Unknown
from timebank.policy.document import read_document
from timebank.policy.fact import FACTS
from timebank.policy.grant import Approver, Dimension, Every, GrantKind
from timebank.policy.parameter import Source
from timebank.policy.problem import Problem
from timebank.policy.rewriting import add_value, remove_value, set_values
from timebank.policy.tier import Downgrade
from timebank.services import authoring
from timebank.services.errors import NotFoundError
from timebank.store.pack_drafts import Draft, list_drafts
from timebank.web import format as words
from timebank.web.catalog import Language, Translate, has_message
from timebank.web.draft_words import differences_in_words
from timebank.web.frame import language_of, show, show_part, translate_of
from timebank.web.parts import Choice, Field, Link
from timebank.web.policy_words import fact_words, own_words, problem_words

_Part = Annotated[str, QueryParameter(max_length=80)]
_Typed = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

_CHOICES: Mapping[str, Sequence[str]] = {
    "dimension": [each.value for each in Dimension],
    "kind": [each.value for each in GrantKind],
    "by": [each.value for each in Approver],
    "approve": [each.value for each in Approver],
    "op": [each.value for each in Op],
    "unknown": [each.value for each in Unknown],
    "source": [each.value for each in Source],
    "period": [each.value for each in Every],
    "downgrade": [each.value for each in Downgrade],
    "min_assurance": ["A0", "A1", "A2", "A3"],
}
"""Fields that are chosen from a closed list, by their key."""

_BOTH = {"zh": "", "en": ""}


def _new(key: str, *, today: date, instrument: str) -> object:
    """Return what a new row or field of a key begins with."""
    leaf = {"fact": "minutes", "window": "calendar_year", "op": ">=", "param": ""}
    starts: dict[str, object] = {
        "instrument": {"id": "new", "title": _BOTH, "issuer": _BOTH},
        "param": {"from": today, "value": 0, "cite": f"{instrument} "},
        "rule": {
            "id": "new",
            "title": _BOTH,
            "note": _BOTH,
            "dimension": "economic",
            "cite": f"{instrument} ",
            "valid": {"from": today},
            "grant": {"kind": "pass", "item": "", "count": 1},
            "limits": [{"per": "person", "period": "calendar_year", "max": 1}],
            "approve": {"by": "county"},
            "when": {"all": [leaf]},
        },
        "case": {
            "name": "",
            "on": today,
            "person": {"minutes": {"calendar_year": 0}},
            "expect": {},
        },
        "all": leaf,
        "any": leaf,
        "of": leaf,
        "note": _BOTH,
        "through": today,
        "unknown": "ask",
        "min_assurance": "A1",
        "window": "calendar_year",
        "source": "assumed",
        "expires": "months(12)",
        "number": "",
        "date": today,
        "url": "https://",
        "filing": "",
        "level": {"title": _BOTH, "approve": "county"},
    }
    return starts.get(key, "")


_OPTIONAL: Mapping[str, Sequence[str]] = {
    "valid": ["through"],
    "grant": ["expires"],
    "rule": ["note", "source"],
    "param": ["note", "source"],
    "instrument": ["number", "date", "url", "note"],
    "all": ["min_assurance", "unknown"],
    "any": ["min_assurance", "unknown"],
    "of": ["min_assurance", "unknown"],
    "pack": ["filing"],
}
"""Keys that a group of a key may have and need not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormNode:
    """A field of the form, or a group of them.

    Attributes:
        kind: How it is typed.
        errors: Why the loader refuses it, with the stable codes.
        removes: What the button to take it away posts; empty where it cannot be.
        adds: Buttons to add to it: what they post, and what they say.
        folds: It can be folded away, under this title; empty where it cannot.
        is_open: It is not folded away: something in it is refused.
    """

    label: str
    name: str
    kind: Literal["text", "long", "number", "day", "choice", "list", "group", "rows"]
    value: str
    choices: Sequence[Choice]
    errors: Sequence[str]
    removes: str
    adds: Sequence[Choice]
    parts: "Sequence[FormNode]"
    folds: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCase:
    """One example of the draft, tried."""

    name: str
    is_kept: bool
    promised: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedDraft:
    """What looking through a draft came to.

    Attributes:
        problems: Those that belong to no field shown.
        unseen: Conditions that no example tries both ways, by node.
    """

    is_whole: bool
    problems: Sequence[str]
    problems_all: int
    cases: Sequence[TriedCase]
    failed: int
    unseen: Sequence[str]


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
        can_edit: The draft is not decided, and the reader may write.
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
        request, kit, _county(office_scope), now=now, change=(pack, parameter, values)
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
        bases.append(
            Choice(value="", label=_("从样板开始：三级、一份年度礼遇单"), is_selected=not bases)
        )
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
    book = _county(office_scope)
    _ = translate_of(request)
    base = data.get("base", "")
    async with kit.db.read() as conn:
        files = await _files_of(conn, book, base)
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
    part = "params.toml" if "params.toml" in files else "pack.toml"
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
) -> Response[Any]:
    """Show one part of a draft as a form, with what the loader and its examples say."""
    book = _county(office_scope)
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(conn, book=book, digest=digest)
    return await _show(request, kit, book, draft, draft.files, part, actor=actor, now=now)


@get("/district/policies/drafts/{digest:str}/file", rule=Act.TRY_POLICIES)
async def show_draft_file(
    digest: FromPath[str], office_scope: OfficeScope, kit: Kitted, part: _Part = "pack.toml"
) -> Response[bytes]:
    """Give one file of a draft away, such as a table for a spreadsheet."""
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(conn, book=_county(office_scope), digest=digest)
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
    book = _county(office_scope)
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
        return show_part(
            request, "district/_tried.html", tried=_tried(look_through(files), request)
        )
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
    nodes = (
        []
        if root is None or _is_text(request)
        else [_form_node(each, part, looked, language=language, _=_) for each in nodes_of(root)]
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
            tried=_tried(looked, request),
            differences=(
                []
                if looked.pack is None or enacted is None
                else differences_in_words(
                    enacted, looked.pack, on=words.local_day(now), language=language, _=_
                )
            ),
            against="" if enacted is None else own_words(enacted.title, language),
            can_edit=may_write and state == "draft",
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
        ),
        status=422 if error else 200,
    )


def _is_text(request: TimebankRequest) -> bool:
    return request.query_params.get("as") == "text"


def _form_node(
    node: Node, file: str, looked: Looked, *, language: Language, _: Translate
) -> FormNode:
    problems = looked.at.get((file, node.path), ())
    key = node.key
    kinds: dict[Kind, Any] = {
        Kind.TEXT: "text",
        Kind.NUMBER: "number",
        Kind.DAY: "day",
        Kind.FLAG: "choice",
        Kind.LIST: "list",
        Kind.GROUP: "group",
        Kind.ROWS: "rows",
    }
    kind: Any = kinds[node.kind]
    choices = _choices(node)
    if choices and node.kind in (Kind.TEXT, Kind.FLAG):
        kind = "choice"
    elif kind == "text" and (len(node.text) > 60 or "note" in node.path):
        kind = "long"
    value = node.text
    if node.kind is Kind.NUMBER and any(each.endswith("minutes") for each in node.path):
        value = words.duration(int(node.text), language=language).replace("\N{NO-BREAK SPACE}", " ")
    path = "/".join(node.path)
    is_row = node.path[-1].isdigit()
    present = {each.path[-1] for each in node.parts}
    adds = []
    if node.kind is Kind.ROWS:
        adds = [Choice(value=f"{path}|{key}", label=_("再加一项"), is_selected=False)]
    elif node.kind is Kind.GROUP and node.path == ("param",):
        adds = [Choice(value="param|param", label=_("再加一个数字"), is_selected=False)]
    elif node.kind is Kind.GROUP:
        group = "param" if is_row and node.path[0] == "param" else key
        adds = [
            Choice(value=f"{path}/{each}|{each}", label=_key_words(each, _), is_selected=False)
            for each in _OPTIONAL.get(group, ())
            if each not in present
        ]
    parts = [_form_node(each, file, looked, language=language, _=_) for each in node.parts]
    is_optional = node.path[-1] in {each for keys in _OPTIONAL.values() for each in keys}
    return FormNode(
        label=_key_words(key, _)
        if not is_row
        else f"{_key_words(key, _)} {int(node.path[-1]) + 1}",
        name=node.name,
        kind=kind,
        value=value,
        choices=[
            Choice(value=each, label=_choice_words(key, each, _), is_selected=each == node.text)
            for each in choices
        ],
        errors=[problem_words(each, _) for each in problems],
        removes=path if is_row or is_optional else "",
        adds=adds,
        parts=parts,
        folds=_title(node, looked, language=language, _=_)
        if len(node.path) == 2 and node.kind in (Kind.GROUP, Kind.ROWS)
        else "",
        is_open=bool(problems) or any(each.errors or each.is_open for each in parts),
    )


def _title(node: Node, looked: Looked, *, language: Language, _: Translate) -> str:
    """Return what a row is called: its name, its title, or its id; a number by whom it decides."""
    if node.path[0] == "param" and looked.pack is not None:
        for rule in looked.pack.rules:
            for leaf in rule.leaves():
                if leaf.parameter.name == node.path[1]:
                    what = fact_words(leaf.use, language=language, _=_)
                    return f"{own_words(rule.title, language)} · {what} ({node.path[1]})"
    texts = {each.path[-1]: each for each in node.parts}
    for key in ("title", "name", "id"):
        if key in texts:
            found = texts[key]
            return next((each.text for each in found.parts if each.text), found.text) or "…"
    return node.path[-1]


def _choices(node: Node) -> Sequence[str]:
    key = node.path[-1]
    if node.kind is Kind.FLAG:
        return ("true", "false")
    found = list(_CHOICES.get(key, ()))
    if key == "fact":
        found = list(FACTS)
    if found and node.text not in found:
        found.insert(0, node.text)
    return found


def _choice_words(key: str, value: str, _: Translate) -> str:
    for code in (f"fact.{value}", f"dimension.{value}", f"source.{value}", f"choice.{key}.{value}"):
        if (
            key in ("fact", "dimension", "source")
            and code.startswith(f"{key}.")
            and has_message("zh", code)
        ):
            return _(code)
    code = f"pack_value.{value}"
    return _(code) if has_message("zh", code) else value


def _key_words(key: str, _: Translate) -> str:
    code = f"pack_key.{key}"
    return _(code) if has_message("zh", code) else key


def _file_words(name: str, _: Translate) -> str:
    code = f"pack_file.{name.partition('.')[0]}"
    if has_message("zh", code):
        return _(code)
    return name.removeprefix("rules/").removeprefix("tables/").removesuffix(".toml")


def _file_order(name: str) -> tuple[int, str]:
    order = ("pack.toml", "params.toml")
    if name in order:
        return order.index(name), name
    return (4 if name == "cases.toml" else 3 if name.startswith("tables/") else 2), name


def _tried(looked: Looked, request: TimebankRequest) -> TriedDraft:
    _ = translate_of(request)
    pack = looked.pack
    if pack is None:
        return TriedDraft(
            is_whole=False,
            problems=[_at(each, _) for each in looked.problems[:20]],
            problems_all=len(looked.problems),
            cases=[],
            failed=0,
            unseen=[],
        )
    failures = run_cases(pack)
    failed = {each.case: each for each in failures}
    return TriedDraft(
        is_whole=True,
        problems=[],
        problems_all=0,
        cases=[
            TriedCase(
                name=case.name,
                is_kept=case.name not in failed,
                promised=failed[case.name].promised if case.name in failed else "",
                found=failed[case.name].found if case.name in failed else "",
            )
            for case in sorted(pack.cases, key=lambda each: each.name not in failed)
        ],
        failed=len(failed),
        unseen=list(unseen_outcomes(pack)),
    )


def _at(problem: Problem, _: Translate) -> str:
    return f"{problem.file}:{problem.line} · {problem_words(problem, _)}"


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
        fresh = _new(key, today=today, instrument=instrument)
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


async def _files_of(conn: Any, book: int, base: str) -> dict[str, str] | None:
    """Return the files that a draft begins with: of an enacted pack, or of the sample."""
    for draft in await list_drafts(conn, book=book):
        if base and draft.pack_id == base and DraftAct.ENACTED in draft.acts:
            return dict(draft.files)
    folder = package_files("timebank") / ("packs" if base else "data/sample-pack")
    for each in folder.iterdir() if base else [folder]:
        if not each.is_dir():
            continue
        files = {
            f"{inner.name}/{file.name}" if inner.is_dir() else inner.name: file.read_text("utf-8")
            for inner in each.iterdir()
            for file in (inner.iterdir() if inner.is_dir() else [inner])
            if file.name.endswith((".toml", ".csv"))
        }
        if not base or _pack_id(files) == base:
            return files
    return None


def _state(draft: Draft) -> Literal["draft", "submitted", "enacted", "sent_back"]:
    if DraftAct.ENACTED in draft.acts:
        return "enacted"
    if DraftAct.SENT_BACK in draft.acts:
        return "sent_back"
    return "submitted" if DraftAct.SUBMITTED in draft.acts else "draft"


def _county(office_scope: Scope) -> int:
    # A county writes for its whole book; a town may look, and a province has no book of its own.
    if level_of(office_scope.region) is not Level.COUNTY:
        raise NotFoundError
    return county_of(office_scope.region)
