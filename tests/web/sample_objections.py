"""Sample values for the pages of objections."""

from collections.abc import Callable
from typing import Any

from timebank.web import deadline, objection_words, objections, own_objections
from timebank.web.catalog import Language, translator
from timebank.web.parts import Choice, Field


def objection_pages(
    language: Language, words: Callable[[str, str], str]
) -> dict[str, tuple[str, str, Any]]:
    """Template, role and page by name."""
    _ = translator(language)
    park = words("海滨公园净滩", "Shore clean-up")

    def clock(state: str, chinese: str, english: str, percent: int) -> deadline.Deadline:
        due = words("12月6日 周五截止", "by Fri 6 Dec")
        return deadline.Deadline(
            left=words(chinese, english), due=due, state=state, percent=percent
        )

    running = clock("running", "还剩 7 个工作日", "7 working days left", 30)
    late = clock("late", "已超 2 个工作日", "2 working days over", 100)
    record = objection_words.RecordFacts(
        activity=park,
        day=words("11月16日 周六", "Sat 16 Nov"),
        time="14:00–17:00",
        duration=words("1 小时", "1 h"),
        evidence="confirmed",
        organization=words("志愿服务队甲", "Volunteer team A"),
        person_in_charge=words("组织者 B", "Organizer B"),
        place=words("武原街道海滨公园东门", "East gate, Haibin Park, Wuyuan"),
        field=_("service_field.environment"),
        arrived=words("13:58 扫码", "13:58 scanned"),
        left=words("15:00 组织者填写", "15:00 set by the organizer"),
        entry="12,345",
        recorded=words("11月16日 17:04", "16 Nov 17:04"),
    )
    said = words(
        "我五点才走，签退的码没扫上，张姐在场。", "I left at five; my phone did not read the code."
    )
    proof = words("签到表 2024-17 第 3 行", "Sign-in sheet 2024-17, line 3")
    steps = [
        objection_words.StepLine(
            kind=kind,
            title=_(f"objection_step.{kind}"),
            who=who,
            at=words("11月18日 09:20", "18 Nov 09:20"),
            text=[said],
            evidence=proof if posted is not None else "",
            entries=posted or "",
        )
        for kind, who, posted in (
            ("raised", "王*", None),
            ("declined", "李*芳", ""),
            ("appealed", "王*", None),
            ("upheld", "陈*", words("第 12,350 条冲正，第 12,351 条代替", "taken back by entry 12,350, replaced by entry 12,351")),
        )
    ]  # fmt: skip
    wish = words("时长应为 3 小时", "Time should be 3 h")

    def case(count: int) -> objection_words.CaseView:
        return objection_words.CaseView(
            record=record,
            wish=wish,
            turn=words("组织者已答复，志愿者可以申诉", "Answered; the volunteer can appeal"),
            is_settled=count == 4,
            deadline=running if count < 4 else None,
            steps=steps[:count],
        )

    def line(state: deadline.Deadline | None) -> objections.QueueLine:
        return objections.QueueLine(
            activity=park,
            name="王*",
            wish=wish,
            day=words("11月16日 周六", "Sat 16 Nov"),
            turn=words("等区县裁决", "Waiting for the district's decision"),
            deadline=state,
            url="#",
        )

    bad = Field(value="90", error=_("answer.evidence_length"))
    return {
        "volunteer-objection-new": (
            "objection/new.html",
            "volunteer",
            own_objections.ObjectionNewPage(
                record=record,
                action_url="#",
                back_url="#",
                reasons=[
                    Choice(value=each, label=_(f"objection_reason.{each}"))
                    for each in ("minutes", "content", "not_mine")
                ],
                hours=Field(value="17", error=_("objection.minutes_out_of_range")),
                minutes=Field(),
                text=Field(value=said),
            ),
        ),
        "volunteer-objection": (
            "objection/own.html",
            "volunteer",
            own_objections.OwnObjectionPage(
                case=case(2), back_url="#", records_url="#", appeal_url="#", text=Field()
            ),
        ),
        "organizer-objections": (
            "objection/queue.html",
            "organizer",
            objections.QueuePage(
                title=_("更正申请"),
                lead=_("志愿者说记录有错，十个工作日内核对并答复，写明证据。"),
                own_turn=[],
                others=[line(None)],
                late_shifts=None,
            ),
        ),
        "district-objections": (
            "objection/queue.html",
            "officer",
            objections.QueuePage(
                title=_("申诉和超期"),
                lead=_("原来答复的人、该组织的人、志愿者本人都不能裁决。"),
                own_turn=[line(late), line(running)],
                others=[line(None)],
                late_shifts=[
                    objections.LateShiftLine(
                        activity=park,
                        organization=record.organization,
                        time=words("11月9日 08:30–11:30", "9 Nov 08:30–11:30"),
                        deadline=late,
                    )
                ],
            ),
        ),
        "district-objection": (
            "objection/case.html",
            "officer",
            objections.CasePage(
                case=case(4),
                name="王*",
                number="330424-000123",
                back_url="#",
                action_url="#",
                is_hearing=True,
                verdicts=[
                    Choice(value="correct", label=_("更正：另记一条对的"), is_selected=True),
                    Choice(value="decline", label=_("不更正：记录没有错")),
                ],
                verdict_error="",
                hours=Field(value="3"),
                minutes=Field(),
                fields=[Choice(value="", label=_("领域不变"), is_selected=True)],
                text=Field(value=said),
                evidence=bad,
                error=_("answer.same_person"),
            ),
        ),
    }
