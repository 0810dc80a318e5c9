"""Sample values for the pages on which rules are written, tried and explained."""

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.policy.test_authoring import PACKS, texts

from timebank.policy.authoring import look_through, nodes_of
from timebank.policy.document import read_document
from timebank.policy.piece import PieceKind, PieceRefused, put_in
from timebank.web import draft_pieces, drafts, whatif, why
from timebank.web.catalog import Language, translator
from timebank.web.draft_form import form_node
from timebank.web.draft_tried import tried_draft
from timebank.web.draft_words import differences_in_words
from timebank.web.parts import Choice, Field, Frame, Link
from timebank.web.policy_words import Check

Made = tuple[str, Any, Frame]

TODAY = date(2026, 6, 10)


def rule_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    officer = framed("officer")
    draft = "district/draft.html"
    return {
        "drafts": ("district/drafts.html", _drafts(language), officer),
        "draft-rules": (draft, _draft(language, "rules/menu.toml"), officer),
        "draft-broken": (draft, _draft(language, "params.toml", is_broken=True), officer),
        "draft-decide": (draft, _draft(language, "cases.toml", state="submitted"), officer),
        **{
            f"piece-{kind.value}": ("district/draft_piece.html", _piece(language, kind), officer)
            for kind in (PieceKind.COURTESY, PieceKind.GROUP, PieceKind.TABLE, PieceKind.CASE)
        },
        "what-if": ("district/what_if.html", _what_if(language), officer),
        "why": ("volunteer/why.html", _why(language), framed("volunteer")),
        "why-people": ("volunteer/why.html", _why(language, is_office=True), officer),
        "why-members": (
            "volunteer/why.html", _why(language, is_members=True), framed("organizer")
        ),
    }  # fmt: skip


def _drafts(language: Language) -> drafts.DraftsPage:
    _ = translator(language)
    title = "清河县志愿者礼遇" if language == "zh" else "Courtesies of Qinghe county"
    return drafts.DraftsPage(
        drafts=[
            drafts.DraftLine(title=title, saved="10:20", state=state, url="#")
            for state in ("draft", "submitted", "enacted", "sent_back")
        ],
        bases=[Choice(value="blank", label=_("从空白开始，一项一项加"), is_selected=True)],
        action_url="#",
        change="",
        error=_("没有这个规则包"),
    )


def _draft(
    language: Language, part: str, *, is_broken: bool = False, state: Any = "draft"
) -> drafts.DraftPage:
    _ = translator(language)
    before = texts(PACKS[-1])
    files = {**before, "params.toml": before["params.toml"].replace("1200", "1500")}
    if is_broken:
        files["params.toml"] = files["params.toml"].replace("1500", '"many"')
    else:
        # Only the first example is left: many slips would go unnoticed.
        files["cases.toml"] = "\n\n[[case]]".join(before["cases.toml"].split("\n\n[[case]]")[:1])
        files["cases.toml"] = files["cases.toml"].replace(
            "calendar_year = 1200", "calendar_year = 1500"
        )
        del files["scenarios/march.csv"], files["scenarios/march-expected.csv"]
    looked = look_through(files)
    old = look_through(before).pack
    assert old is not None
    root = read_document(files[part].encode(), file=part).root
    assert root is not None
    return drafts.DraftPage(
        title=old.title.zh if language == "zh" else old.title.en,
        digest="3f9a21c0b7de",
        state=state,
        saved="10:20",
        back_url="#",
        action_url="#",
        try_url="#",
        parts=[Link(label=each, url="#", is_current=each == part) for each in sorted(files)],
        part=part,
        nodes=[form_node(each, part, looked, language=language, _=_) for each in nodes_of(root)],
        file=part,
        text="",
        file_url="#",
        tried=tried_draft(
            files, seconds=5, language=language, _=_, url="#", can_edit=state == "draft"
        ),
        differences=[]
        if looked.pack is None
        else differences_in_words(old, looked.pack, on=TODAY, language=language, _=_),
        against=old.title.zh if language == "zh" else old.title.en,
        can_edit=state == "draft",
        can_decide=state == "submitted",
        citation=Field(value="", error=""),
        submitted="",
        what_if_url="#",
        error="",
        pieces=[Link(label=_(f"piece.{each.value}"), url="#") for each in PieceKind]
        if state == "draft"
        else [],
        is_own=False,
        file_errors=[],
        base="",
    )


def _piece(language: Language, kind: PieceKind) -> draft_pieces.DraftPiecePage:
    _ = translator(language)
    files = texts(PACKS[-1])
    typed = {
        "csv": "level,once_fen\njunior,x\nsenior,600000",
        "id": "allowance",
        "asks:level": "certificate_level",
        "from": "2026-01-01",
        "hours": "twenty",
        "instrument": "qh-2026-1",
        "place": "3",
        "name": "",
        "zh": "",
    }
    found = put_in(files, kind, typed, part="rules/menu.toml")
    assert isinstance(found, PieceRefused)
    return draft_pieces.DraftPiecePage(
        title=_(f"piece.{kind.value}"),
        lead=_(f"piece.{kind.value}.lead"),
        action_url="#",
        back_url="#",
        piece=kind.value,
        part="rules/menu.toml",
        fields=draft_pieces.piece_fields(
            kind, files, typed, at=found.at, today=TODAY, language=language, _=_
        ),
        errors=[],
        submit=_("放进草案"),
        is_unwhole=False,
    )


def _bars(language: Language, first: int, second: int) -> list[whatif.MonthBar]:
    return [
        whatif.MonthBar(
            label=f"2026-{month:02}",
            short=str(month),
            before=str(first * month),
            after=str(second * month),
            before_height=first * month * 100 // (second * 12),
            after_height=month * 100 // 12,
        )
        for month in range(1, 13)
    ]


def _what_if(language: Language) -> whatif.WhatIfPage:
    _ = translator(language)
    zh = language == "zh"
    film = "电影票" if zh else "Film tickets"
    towns = ("示例街道", "示例镇") if zh else ("Example street", "Example town")
    unit = _("小时")
    months = _bars(language, 30, 42)
    return whatif.WhatIfPage(
        region="示例县" if zh else "Example county",
        numbers=[Choice(value="a/b", label=film, is_selected=True)],
        rule=film,
        levers=[
            whatif.Lever(
                label=film, value="15", now=f"20 {unit}", low="0", high="40", unit=unit, error=""
            )
        ],
        spans=[Choice(value="ahead", label=_("未来 12 个月，预测"), is_selected=True)],
        methods=[Choice(value="last_year", label=_("forecast.last_year"), is_selected=True)],
        price="30",
        price_label=_("每份折合多少元（估算用，可不填）"),
        budget="60000",
        period="2026-01 – 2026-12",
        outcome=whatif.Outcome(
            figures=[
                whatif.Figure(
                    label=_("发放（人次）"),
                    before="12,340",
                    after="15,120",
                    change="+2,780",
                    direction="up",
                ),
                whatif.Figure(
                    label=_("新得到的人"), before="", after="2,780", change="", direction="up"
                ),
                whatif.Figure(
                    label=_("不再得到的人"), before="", after="0", change="", direction="level"
                ),
                whatif.Figure(
                    label=_("花费（元）"),
                    before="370,200",
                    after="453,600",
                    change="+83,400",
                    direction="up",
                ),
            ],
            steps=[
                whatif.StepLine(
                    title=film,
                    before="12,340",
                    after="15,120",
                    gains="2,780",
                    loses="0",
                    sooner="310",
                    later="0",
                    cost=_("{before} → {after} 元", before="370,200", after="453,600"),
                )
            ]
            * 2,
            months=months,
            towns=[
                whatif.TownLine(
                    name=name,
                    before="3,210",
                    after="4,020",
                    gains="810",
                    loses="0",
                    before_width=60,
                    after_width=80,
                )
                for name in towns
            ],
            changed=[
                whatif.ChangedPerson(
                    name="张*" if zh else "Z*",
                    town=towns[0],
                    kind=kind,  # type: ignore[arg-type]
                    title=film,
                    was=_("{month}得到", month="2026-05"),
                    becomes=_("{month}得到", month="2026-03"),
                    url="#",
                )
                for kind in ("gains", "loses", "swaps")
            ],
            changed_all="2,780",
            methods=[
                whatif.MethodLine(
                    name=_(f"forecast.{name}"),
                    how=_(f"forecast.{name}.how"),
                    people="15,120",
                    interval="13,900\N{EN DASH}16,300",
                    error=_("去年预测 {said}，实际 {came}", said="11,900", came="12,340"),
                    url="#",
                    is_current=name == "last_year",
                )
                for name in ("last_year", "cohort_trend", "bootstrap")
            ],
            budgets=[
                whatif.BudgetLine(
                    period="2026",
                    opened="60,000",
                    before="37,020",
                    after="63,360",
                    empty_before=_("够用"),
                    empty_after=_("{month}用完", month="2026-11"),
                    is_short=True,
                )
            ],
            held=[
                whatif.HeldLine(title=film, why=_("held.queued"), before="0", after="310"),
                whatif.HeldLine(title=film, why=_("held.stacked"), before="1,020", after="1,210"),
            ],
            pools=[
                whatif.PoolPart(
                    title="学雷锋月礼品" if zh else "Gifts of the campaign month",
                    owner="示例县社会工作部" if zh else "Example department",
                    unit=_("pool_unit.pieces"),
                    periods=[
                        whatif.PoolPeriod(
                            period="2026",
                            opened="15,000",
                            before="12,340",
                            after="15,000",
                            empty_before=_("够用"),
                            empty_after=_("{month}用完", month="2026-11"),
                            left_out_before="0",
                            left_out_after="120",
                            is_short=True,
                        )
                    ],
                    months=months,
                    towns=[
                        whatif.PoolTown(
                            name=name,
                            before=_("够用"),
                            after=_("{month}起不够，{count} 人没轮到", month="2026-11", count="60"),
                        )
                        for name in towns
                    ],
                )
            ],
            supposed=[_("what_if.choice")],
            is_same=False,
        ),
        error="",
        assumed="",
        as_of=_("截至账本第 {entry} 条", entry="1,204,331"),
        draft_url="#",
        draft={"pack": "a", "parameter": "b", "values": "900"},
    )


def _why(language: Language, *, is_office: bool = False, is_members: bool = False) -> why.WhyPage:
    _ = translator(language)
    zh = language == "zh"
    asks = "本年度服务时间不少于 20 小时" if zh else "Hours this year at least 20 h"
    lacks = "还差 3 小时 20 分，12 月 31 日前" if zh else "3 h 20 min more by 31 December"
    states: list[Any] = ["unmet", "met", "unknown"]
    rules = [
        why.WhyRule(
            title="电影票" if zh else "Film tickets",
            level="",
            dimension=_("dimension.economic"),
            state=state,
            sentence=lacks,
            checks=[
                Check(text=asks, state=state, have="16 小时" if zh else "16 h", percent=80),
                Check(text=asks, state="unknown", have="", percent=None),
            ],
            tree=[
                why.TreeLine(depth=depth, text=asks, state=state, have="16", basis=asks)
                for depth in range(3)
            ],
            citation="清社〔2025〕1号 第四条" if zh else "Measures, article 4",
            url="#",
        )
        for state in states
    ]
    known = why.KnownPerson(name="张*" if zh else "Z*", number="330424000000012", came="3", url="#")
    is_own = not (is_office or is_members)
    return why.WhyPage(
        who="" if is_own or is_members else known.name,
        number="" if is_own or is_members else known.number,
        back_url="#",
        ask_url="" if is_own else "#",
        asked="" if is_own else "330424000000012",
        error="" if is_own or is_members else _("您的辖区里没有这个志愿者号"),
        people=[known] * 3 if is_members else [],
        rules=[] if is_members else rules,
        as_of=_("截至账本第 {entry} 条", entry="1,204,331"),
        note="",
    )
