"""Sample values for the page of programs, with plainly generic names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from timebank.web import definitions, dictionary, exchange, programs, reach
from timebank.web.catalog import Language, translator
from timebank.web.parts import Choice, Field, Frame

Made = tuple[str, Any, Frame]


def program_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    _ = translator(language)
    zh = language == "zh"
    officer = framed("officer")
    secret = "tbk_" + "0123456789" * 4 + "abc"
    line = programs.ProgramLine(
        label="区数据平台" if zh else "County data platform",
        region="海盐县" if zh else "Haiyan",
        acts=_("、").join((_("act.see_reports"), _("act.pull_entries"))),
        time=_("{since}给的，用到 {until}", since="2024-03-01", until="2024-08-28"),
        end_url="#",
    )

    def page(**values: Any) -> programs.ProgramsPage:
        made: dict[str, Any] = {
            "programs": [line, line],
            "secret": "",
            "example": f'curl -H "Authorization: Bearer {secret}" "https://example.org/api/x"',
            "label": Field(),
            "region_error": "",
            "regions": [Choice(value="1", label="海盐县" if zh else "Haiyan", is_selected=True)],
            "acts": [
                Choice(value="see_reports", label=_("act.see_reports"), is_selected=True),
                Choice(value="pull_entries", label=_("act.pull_entries")),
            ],
            "acts_error": "",
            "last_on": Field(value="2024-08-28"),
        }
        return programs.ProgramsPage(**made | values)

    words = dictionary.DictionaryPage(
        tables=[
            dictionary.DictionaryTable(
                title=_("各项数字"),
                address="/api/numbers",
                columns=[
                    dictionary.DictionaryColumn(
                        name="region",
                        role="dimension",
                        kind=_("column.kind.code"),
                        unit="",
                        meaning=_("column.numbers.region"),
                        adding="",
                    ),
                    dictionary.DictionaryColumn(
                        name="active_rate",
                        role="measure",
                        kind=_("column.kind.integer"),
                        unit=_("metric.unit.per_10k"),
                        meaning=_("metric.active_rate.definition"),
                        adding=_("column.adding.ratio"),
                        over_time=_("column.over_time.ratio"),
                        undefined=_("metric.undefined.no_whole"),
                        breakdowns=["region", "month", "field"],
                    ),
                ],
            )
        ],
        definitions=[
            dictionary.DictionaryDefinition(
                id="active-rate.example",
                name="活跃率" if zh else "Active rate",
                since="2021-02-01",
                source="示例文件" if zh else "An example of a document",
                digest="0123456789abcdef",
            )
        ],
        json_url="#",
    )
    card = definitions.DefinitionCard(
        id="330424.ten-hours",
        name="活跃率（一年满 10 小时）" if zh else "Active rate (ten hours a year)",
        sentence="二〇二四年里服务多于 599 分钟的人，除以当地常住人口。"
        if zh
        else "Who served more than 599 minutes in 2024, of the residents.",
        since="2024-03-01",
        source="示例文件" if zh else "An example of a document",
        digest="0123456789abcdef",
        place="海盐县" if zh else "Haiyan",
    )

    def meanings(**values: Any) -> definitions.DefinitionsPage:
        made: dict[str, Any] = {
            "region": "海盐县" if zh else "Haiyan",
            "cards": [card, replace(card, place="")],
            "decide_url": "#",
            "prefix": "330424000000.",
            "slug": Field(),
            "zh": Field(),
            "en": Field(),
            "windows": [Choice(value="year", label=_("definition.window.year"))],
            "minutes_above": Field(value="599"),
            "services_min": Field(value="0"),
            "evidence": [
                Choice(value="scanned", label=_("evidence.scanned"), is_selected=True),
                Choice(value="declared", label=_("evidence.declared")),
            ],
            "denominators": [Choice(value="residents", label=_("definition.of.residents"))],
            "first_age": Field(),
            "last_age": Field(),
            "valid_from": Field(value="2024-03-01"),
            "source": Field(),
            "source_max": 300,
        }
        return definitions.DefinitionsPage(**made | values)

    compared = exchange.ExchangePage(
        state="different",
        checked="今天 09:00" if zh else "today 09:00",
        counts=[(_("送出的"), "1,200"), (_("对方有的"), "1,199"), (_("exchange.missing"), "1")],
        differences=[
            exchange.ExchangeDifference(
                key="018e1f00-0000-8000-8000-000000000001",
                kind=_("exchange.missing"),
                amounts=_("我们 {ours}，对方 {theirs}", ours="3", theirs=_("没有")),
            )
        ],
        batches=["今天 08:00" if zh else "today 08:00"],
    )
    never = exchange.ExchangePage(state="never", checked="", counts=[], differences=[], batches=[])
    counted = reach.ReachPage(
        activity="社区食堂送餐" if zh else "Meals for the elderly",
        time="今天 14:00–17:00" if zh else "today 14:00–17:00",
        back_url="#",
        action_url="#",
        people=Field(value="25"),
        households=Field(),
    )
    organizer = framed("organizer")
    template = "district/programs.html"
    return {
        "organizer-reach": ("organizer/reach.html", counted, organizer),
        "organizer-reach-refused": (
            "organizer/reach.html",
            replace(counted, error=_("reach.malformed")),
            organizer,
        ),
        "organizer-reach-early": (
            "organizer/reach.html",
            replace(counted, action_url=""),
            organizer,
        ),
        "district-definitions": ("district/definitions.html", meanings(), officer),
        "district-definitions-refused": (
            "district/definitions.html",
            meanings(
                slug=Field(value="Zehn", error=_("definition.name_malformed")),
                zh=Field(error=_("definition.name_missing")),
                valid_from=Field(value="2024-01-01", error=_("definition.too_early")),
                source=Field(error=_("definition.no_source")),
                error=_("definition.malformed"),
            ),
            officer,
        ),
        "district-exchange": ("district/exchange.html", compared, officer),
        "district-exchange-never": ("district/exchange.html", never, officer),
        "dictionary": ("public/dictionary.html", words, framed("")),
        "district-programs": (template, page(secret=secret), officer),
        "district-programs-refused": (
            template,
            page(
                programs=[],
                label=Field(value="", error=_("token.label_length")),
                acts_error=_("token.no_acts"),
                error=_("token.too_many"),
            ),
            officer,
        ),
    }
