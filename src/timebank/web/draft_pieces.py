"""Putting a whole piece into a draft by a form: a rule, a menu, a campaign, a pool, a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, QueryParameter
from litestar.response import Redirect

from timebank.domain.actor import Act
from timebank.http.providers import Kitted, Now, OfficeScope, SignedInActor, TimebankRequest
from timebank.policy.authoring import Files, look_through
from timebank.policy.fact import FACTS, FactType, FactUse
from timebank.policy.grant import Approver, Every, GrantKind
from timebank.policy.piece import Known, PieceKind, PieceRefused, known_of, put_in
from timebank.policy.pool import Carry, Exhausted, Holds
from timebank.policy.problem import Problem
from timebank.policy.rule import Pack, Verdict
from timebank.policy.sheet import read_sheet
from timebank.policy.stacking import StackMode
from timebank.policy.timeline import uses_of
from timebank.policy.window import parse_window
from timebank.services import authoring
from timebank.services.errors import NotFoundError
from timebank.store.pack_drafts import Draft
from timebank.web import format as words
from timebank.web.catalog import Language, Translate, has_message
from timebank.web.draft_words import county_of_writers, fault_words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice
from timebank.web.policy_words import fact_words

_Part = Annotated[str, QueryParameter(max_length=80)]
_Piece = Annotated[str, QueryParameter(max_length=20)]
_Typed = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

OFFERED = tuple(PieceKind)
"""What the editor offers to put in, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceField:
    """One field of a piece's form.

    Attributes:
        kind: `ticks` are several boxes, `tick` is one; `csv` is a table to paste or upload.
        choices: Of a choice and of boxes; a box's value is its name.
        is_more: It stands among the fields that most can leave as they are.
    """

    name: str
    label: str
    hint: str
    kind: Literal["text", "long", "day", "choice", "ticks", "tick", "csv"]
    value: str
    choices: Sequence[Choice]
    errors: Sequence[str]
    is_required: bool
    is_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPiecePage:
    """What `district/draft_piece.html` shows.

    Attributes:
        is_unwhole: Examples can be added only to rules that can be read.
    """

    title: str
    lead: str
    action_url: str
    back_url: str
    piece: str
    part: str
    fields: Sequence[PieceField]
    errors: Sequence[str]
    submit: str
    is_unwhole: bool


@get("/district/policies/drafts/{digest:str}/add", rule=Act.WRITE_POLICIES)
async def show_piece(
    request: TimebankRequest,
    digest: FromPath[str],
    office_scope: OfficeScope,
    kit: Kitted,
    now: Now,
    piece: _Piece = PieceKind.COURTESY.value,
    part: _Part = "",
) -> Response[Any]:
    """Show the form of a piece, with everything as it usually is."""
    kind = _kind(piece)
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(
            conn, book=county_of_writers(office_scope), digest=digest
        )
    return _show(request, draft, kind, part, typed={}, at={}, today=words.local_day(now))


@post("/district/policies/drafts/{digest:str}/add", rule=Act.WRITE_POLICIES, status_code=200)
async def create_piece(
    request: TimebankRequest,
    digest: FromPath[str],
    office_scope: OfficeScope,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
    data: _Typed,
) -> Response[Any]:
    """Put a piece into a draft, or show at each field why not; nothing half done is kept."""
    book = county_of_writers(office_scope)
    kind, part = _kind(data.get("piece", "")), data.get("part", "")
    async with kit.db.read() as conn:
        draft = await authoring.find_draft(conn, book=book, digest=digest)
    today = words.local_day(now)
    if kind is PieceKind.TABLE and not any(name.startswith("asks:") for name in data):
        # The columns of a table are asked about once its cells are there.
        return _show(request, draft, kind, part, typed=data, at={}, today=today)
    found = put_in(draft.files, kind, data, part=part)
    if isinstance(found, PieceRefused):
        return _show(request, draft, kind, part, typed=data, at=found.at, today=today)
    saved = await authoring.save_draft(
        kit.db, book=book, files=found.files, follows=digest, person=actor.person, now=now
    )
    return Redirect(f"/district/policies/drafts/{saved}?part={found.part}", status_code=303)


def _kind(text: str) -> PieceKind:
    if text not in list(PieceKind):
        raise NotFoundError
    return PieceKind(text)


def _show(
    request: TimebankRequest,
    draft: Draft,
    kind: PieceKind,
    part: str,
    *,
    typed: Mapping[str, str],
    at: Mapping[str, Sequence[Problem]],
    today: date,
) -> Response[Any]:
    language, _ = language_of(request), translate_of(request)
    fields = piece_fields(kind, draft.files, typed, at=at, today=today, language=language, _=_)
    shown = {each.name for each in fields}
    return show(
        request,
        "district/draft_piece.html",
        DraftPiecePage(
            title=_(f"piece.{kind.value}"),
            lead=_(f"piece.{kind.value}.lead"),
            action_url=f"/district/policies/drafts/{draft.digest}/add",
            back_url=f"/district/policies/drafts/{draft.digest}?part={part or 'pack.toml'}",
            piece=kind.value,
            part=part,
            fields=fields,
            errors=[
                fault_words(each, _)
                for name, all_of in at.items()
                if name not in shown
                for each in all_of
            ],
            submit=_("接着说明每一列")
            if kind is PieceKind.TABLE and not any(each.startswith("asks:") for each in shown)
            else _("给所有规则定这一天")
            if kind is PieceKind.END
            else _("放进草案"),
            is_unwhole=not fields,
        ),
        status=422 if at else 200,
    )


def piece_fields(
    kind: PieceKind,
    files: Files,
    typed: Mapping[str, str],
    *,
    at: Mapping[str, Sequence[Problem]],
    today: date,
    language: Language,
    _: Translate,
) -> list[PieceField]:
    """Return the fields of a kind of piece; none for an example of rules that are not whole."""
    pack = look_through(files).pack if kind is PieceKind.CASE else None
    return _Form(typed, at, known_of(files), today, language, _).fields(kind, pack)


@dataclass(frozen=True, slots=True)
class _Form:
    """A form in the making: what was typed, what is wrong with it, what there is to choose from."""

    typed: Mapping[str, str]
    at: Mapping[str, Sequence[Problem]]
    known: Known
    today: date
    language: Language
    translate: Translate

    def fields(self, kind: PieceKind, pack: Pack | None) -> list[PieceField]:
        _ = self.translate
        match kind:
            case PieceKind.TIERS:
                return [
                    *self.named(_("例如 清河好邻居")),
                    self.text("hours", _("每级满多少小时，从低到高"), _("例如 50、150、300")),
                    self.text("names", _("每级叫什么，从低到高"), _("例如 三级、二级、一级")),
                    self.text("names_en", _("每级的英文名（可不填）"), is_more=True, needed=False),
                    self.window("lifetime"),
                    self.first_day(),
                    *self.cited(),
                    self.pick("approver", _("谁批准"), _approvers(), "county", is_more=True),
                    *self.notes(),
                    self.id(),
                ]
            case PieceKind.COURTESY:
                return [
                    *self.named(_("例如 电影票")),
                    self.text(
                        "hours",
                        _("满多少小时"),
                        _("例如 20，或 1 小时 30 分；按表发的可不填"),
                        needed=not self.known.columns,
                    ),
                    self.window("calendar_year"),
                    *self.given(),
                    self.pick(
                        "group", _("放进哪个组（如任选一项）"), [""], "", self.titles("group")
                    ),
                    self.first_day(),
                    *self.cited(),
                    self.pick(
                        "period", _("一个人多久一次"), [e.value for e in Every], "calendar_year"
                    ),
                    self.pick(
                        "min_assurance", _("最低证据等级"), ["", "A1", "A2", "A3"], "", is_more=True
                    ),
                    self.pick("approver", _("谁批准"), _approvers(), "county", is_more=True),
                    self.text("publicise", _("公示几天（可不填）"), needed=False, is_more=True),
                    *self.notes(),
                    self.id(),
                ]
            case PieceKind.CAMPAIGN:
                credits_ = self.titles("credit")
                return [
                    *self.named(_("例如 学雷锋月")),
                    self.day("from", _("哪天开始")),
                    self.day("through", _("哪天结束（含当天）")),
                    *(
                        [
                            self.pick(
                                "more",
                                _("这段时间每满一小时，多给哪一种"),
                                [""],
                                "",
                                credits_,
                                hint=_("不选就是满时间发一份；选了，下面的数量就是每小时多给几个"),
                            )
                        ]
                        if credits_
                        else []
                    ),
                    self.text(
                        "hours", _("这段时间里满多少小时"), _("例如 10"), needed=not credits_
                    ),
                    *self.given(),
                    *self.cited(),
                    self.pick("approver", _("谁批准"), _approvers(), "county", is_more=True),
                    self.text("publicise", _("公示几天（可不填）"), needed=False, is_more=True),
                    self.id(),
                ]
            case PieceKind.GROUP:
                return [
                    *self.named(_("例如 年度礼遇任选一项")),
                    self.pick(
                        "mode",
                        _("碰到一起怎么办"),
                        [e.value for e in StackMode],
                        StackMode.CHOOSE_ONE.value,
                    ),
                    self.ticks("member", _("哪些规则放进来"), self.titles("rule")),
                    self.pick("default", _("本人没选时给哪一项"), [""], "", self.titles("rule")),
                    self.pick("period", _("按多久算"), [e.value for e in Every], "calendar_year"),
                    *self.cited(),
                    self.text(
                        "max", _("合计最多多少（只在“合计封顶”时）"), needed=False, is_more=True
                    ),
                    self.ticks(
                        "exclude", _("和哪些组不能同时享受"), self.titles("group"), is_more=True
                    ),
                    self.id(),
                ]
            case PieceKind.POOL:
                return [
                    *self.named(_("例如 学雷锋月礼品")),
                    self.text("owner", _("谁出钱、谁管")),
                    self.text("owner_en", _("英文（可不填）"), needed=False, is_more=True),
                    self.pick(
                        "holds", _("装的是什么"), [e.value for e in Holds], Holds.PIECES.value
                    ),
                    self.text("amount", _("一共多少（钱按元）"), _("例如 100")),
                    self.pick(
                        "period", _("多久补足一次"), [e.value for e in Every], "calendar_year"
                    ),
                    self.pick(
                        "exhausted",
                        _("用完了怎么办"),
                        [e.value for e in Exhausted if e is not Exhausted.RANK],
                        Exhausted.QUEUE.value,
                    ),
                    self.ticks("member", _("哪些规则从这里出"), self.titles("rule")),
                    *self.cited(),
                    self.pick(
                        "carry",
                        _("剩下的"),
                        [Carry.NONE.value, Carry.ALL.value],
                        Carry.NONE.value,
                        is_more=True,
                    ),
                    self.id(),
                ]
            case PieceKind.TABLE:
                return self.table()
            case PieceKind.CASE:
                return self.case(pack)
            case PieceKind.END:
                return [self.day("through", _("最后一天"))]

    def named(self, example: str) -> list[PieceField]:
        _ = self.translate
        return [
            self.text("zh", _("名称"), example),
            self.text("en", _("英文名称（可不填）"), needed=False),
        ]

    def id(self) -> PieceField:
        _ = self.translate
        return self.text(
            "id", _("编号（英文，可不填）"), _("不填就按英文名称起一个"), needed=False, is_more=True
        )

    def notes(self) -> list[PieceField]:
        _ = self.translate
        return [
            self.field("note", _("给志愿者看的说明（可不填）"), "long", is_more=True),
            self.field("note_en", _("英文说明（可不填）"), "long", is_more=True),
        ]

    def first_day(self) -> PieceField:
        _ = self.translate
        return self.day("from", _("从哪天起"))

    def cited(self) -> list[PieceField]:
        _ = self.translate
        titles = self.titles("instrument")
        first = titles[0].value if titles else ""
        return [
            self.pick("instrument", _("依据哪份文件"), [], first, titles),
            self.text("place", _("第几条"), _("例如 第三条"), needed=False),
            self.field("assumed", _("还没有条文，先由我们设定"), "tick"),
        ]

    def given(self) -> list[PieceField]:
        _ = self.translate
        kinds = [e.value for e in GrantKind if e is not GrantKind.HONOUR]
        expiries = ["", "months(12)", "end_of(calendar_year)", "months(6)", "months(3)"]
        columns = [Choice(value=e, label=e, is_selected=False) for e in self.known.columns]
        return [
            self.pick("kind", _("发什么"), kinds, GrantKind.PASS.value),
            self.text("count", _("几份（钱按元）"), default="1", needed=False),
            *(
                [self.pick("column", _("或者按表发：哪张表的哪一列"), [""], "", columns)]
                if columns
                else []
            ),
            self.pick("expires", _("用到什么时候"), expiries, ""),
            self.pick("pool", _("从哪个池里出"), [""], "", self.titles("pool")),
        ]

    def window(self, default: str) -> PieceField:
        choices = ["lifetime", "calendar_year", "school_year", "months(12)"]
        _ = self.translate
        return self.pick("window", _("看哪段时间"), choices, default)

    def table(self) -> list[PieceField]:
        _ = self.translate
        text = self.typed.get("csv", "").replace("\r\n", "\n").removeprefix("\ufeff")
        sheet = read_sheet(text.encode(), file="") if text.strip() else None
        columns: Sequence[str] = ()
        if sheet is not None and not isinstance(sheet, Problem):
            columns = sheet.rows[0][1]
        asks = [
            Choice(value="", label=_("这一列是发多少"), is_selected=False),
            *(
                Choice(
                    value=f"{name} {window}".strip(),
                    label=fact_words(
                        FactUse(name, parse_window(window) if window else None),
                        language=self.language,
                        _=_,
                    ),
                    is_selected=False,
                )
                for name, spec in FACTS.items()
                if not (spec.has_rule or spec.has_region or spec.has_register)
                for window in (("calendar_year", "lifetime") if spec.windows else ("",))
            ),
        ]
        return [
            self.text("id", _("表的编号（英文）"), _("例如 allowance")),
            self.field(
                "csv",
                _("表格内容"),
                "csv",
                hint=_(
                    "从电子表格里复制，或选一个 CSV 文件。第一行是列名（英文）；"
                    "发多少的列，列名以单位结尾，如 once_fen、gift_count。"
                    "格子里可写 a|b、6000..12000、12000..、*。"
                ),
            ),
            *(
                self.pick(f"asks:{each}", _("「{column}」这一列看什么", column=each), [], "", asks)
                for each in columns
            ),
            self.first_day(),
            *self.cited(),
        ]

    def case(self, pack: Pack | None) -> list[PieceField]:
        if pack is None:
            return []
        _ = self.translate
        verdicts = ["", *(each.value for each in Verdict)]
        facts: dict[str, PieceField] = {}
        for use in sorted(uses_of([pack]), key=repr):
            word_list = [
                "" if use.window is None else str(use.window),
                use.register,
                f"{use.region}" if use.region else "",
                use.rule,
            ]
            name = " ".join(["fact:" + use.name, *(each for each in word_list if each)])
            plain = FactUse(use.name, use.window, rule=use.rule, register=use.register)
            label = fact_words(plain, language=self.language, _=_)
            spec = use.spec
            if spec.type is FactType.YES_NO:
                facts[name] = self.pick(name, label, ["", "true", "false"], "")
            elif spec.type is FactType.CHOICE:
                facts[name] = self.pick(name, label, ["", *spec.choices], "")
            elif spec.type is FactType.DAY:
                facts[name] = self.field(name, label, "day")
            else:
                hint = _("小时，或 19 小时 59 分") if use.name == "minutes" else ""
                facts[name] = self.text(name, label, hint, needed=False)
        rules: list[PieceField] = []
        for rule_id, (zh, en) in self.known.of("rule").items():
            title = zh if self.language == "zh" else en
            rules.append(self.pick(f"rule:{rule_id}", title, verdicts, ""))
            rules.append(
                self.text(
                    f"detail:{rule_id}",
                    _("「{title}」还要算出（可不填）", title=title),
                    _("例如第几级，或“4 film until 2026-12-31”"),
                    needed=False,
                    is_more=True,
                )
            )
        return [
            self.text("name", _("一句话说这个例子"), _("例如 差一分钟，什么都没有")),
            self.day("on", _("哪一天")),
            *facts.values(),
            *rules,
        ]

    def titles(self, kind: str) -> list[Choice]:
        place = 0 if self.language == "zh" else 1
        return [
            Choice(value=each, label=titles[place], is_selected=False)
            for each, titles in self.known.of(kind).items()
        ]

    def text(
        self,
        name: str,
        label: str,
        hint: str = "",
        *,
        default: str = "",
        needed: bool = True,
        is_more: bool = False,
    ) -> PieceField:
        return self.field(
            name, label, "text", hint=hint, default=default, needed=needed, is_more=is_more
        )

    def day(self, name: str, label: str) -> PieceField:
        first = date(self.today.year, 1, 1).isoformat() if name == "from" else ""
        return self.field(name, label, "day", default=first, needed=True)

    def pick(
        self,
        name: str,
        label: str,
        values: Sequence[str],
        default: str,
        more: Sequence[Choice] = (),
        *,
        hint: str = "",
        is_more: bool = False,
    ) -> PieceField:
        given = [
            Choice(value=each, label=_value_words(name, each, self.translate), is_selected=False)
            for each in values
        ]
        return self.field(
            name,
            label,
            "choice",
            hint=hint,
            default=default,
            choices=[*given, *more],
            is_more=is_more,
        )

    def ticks(
        self, name: str, label: str, choices: Sequence[Choice], *, is_more: bool = False
    ) -> PieceField:
        boxes = [
            Choice(
                value=f"{name}:{each.value}",
                label=each.label,
                is_selected=bool(self.typed.get(f"{name}:{each.value}")),
            )
            for each in choices
        ]
        return self.field(name, label, "ticks", choices=boxes, is_more=is_more or not boxes)

    def field(
        self,
        name: str,
        label: str,
        kind: Literal["text", "long", "day", "choice", "ticks", "tick", "csv"],
        *,
        hint: str = "",
        default: str = "",
        choices: Sequence[Choice] = (),
        needed: bool = False,
        is_more: bool = False,
    ) -> PieceField:
        value = self.typed.get(name, default) if self.typed or default else ""
        marked = [
            Choice(value=each.value, label=each.label, is_selected=each.value == value)
            for each in choices
        ]
        problems = self.at.get(name, ())
        return PieceField(
            name=name,
            label=label,
            hint=hint,
            kind=kind,
            value=value,
            choices=choices if kind == "ticks" else marked,
            errors=[fault_words(each, self.translate) for each in problems],
            is_required=needed,
            is_more=is_more and not problems,
        )


def _approvers() -> list[str]:
    return [each.value for each in Approver]


def _value_words(name: str, value: str, _: Translate) -> str:
    if not value:
        empty = {
            "group": _("不放进组"),
            "pool": _("不限量"),
            "expires": _("一直有效"),
            "min_assurance": _("都算"),
            "default": _("没选就先不给"),
        }
        return empty.get(name, _("不说"))
    family = "verdict" if name.startswith("rule:") else name
    for code in (f"piece_value.{family}.{value}", f"pack_value.{value}"):
        if has_message("zh", code):
            return _(code)
    return value
