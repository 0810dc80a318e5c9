"""Sample values for the pages of sessions and of the review, with plainly generic names."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Literal

from timebank.domain.threshold import DEFAULTS
from timebank.web import (
    approvals,
    calendar,
    correcting,
    profile,
    review,
    samples,
    shift_messages,
    shift_places,
)
from timebank.web.catalog import Language, translator
from timebank.web.format import duration, weekday
from timebank.web.parts import Choice, ChoiceGroup, Field, Frame, Link

Made = tuple[str, Any, Frame]


def session_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    _ = translator(language)
    zh = language == "zh"

    def words(chinese: str, english: str) -> str:
        return chinese if zh else english

    def entry_page(**values: Any) -> correcting.EntryPage:
        page: dict[str, Any] = {
            "number": "1,024",
            "title": words("海滨公园净滩", "Shore clean-up"),
            "volunteer": "330424 0000 0101 4",
            "duration": duration(180, language=language),
            "evidence": "confirmed",
            "facts": [
                (_("服务时间"), words("昨天 14:00", "yesterday 14:00")),
                (_("记入时间"), words("昨天 17:02", "yesterday 17:02")),
                (_("组织"), words("志愿服务队甲", "Volunteer team A")),
            ],
            "corrects_url": "",
            "taken_back": "",
            "proof": "",
            "replacement_url": "",
            "owed": [
                _(
                    "该志愿者用掉的比应得的多，欠 {amount} {unit}，以后发放时先抵扣。",
                    amount="12",
                    unit=_("时间币"),
                )
            ],
            "minutes": Field(value="90", error=""),
            "reason": Field(value="", error=_("correction.reason_length")),
            "reason_max": 500,
            "proof_field": Field(),
            "proof_max": 200,
            "action_url": "",
            "back_url": "#",
            "error": "",
        }
        return correcting.EntryPage(**(page | values))

    def entry(state: approvals.ApprovalState, *, is_own: bool = False) -> approvals.ApprovalLine:
        return approvals.ApprovalLine(
            title=words("海滨公园净滩", "Shore clean-up"),
            time=words("昨天 14:00–17:00", "yesterday 14:00–17:00"),
            organization=words("志愿服务队甲", "Volunteer team A"),
            amount=_(
                "{count} 人，合计 {duration}", count=12, duration=duration(2160, language=language)
            ),
            by=_(
                "{time}由 {name} 提交",
                time=words("今天 09:10", "today 09:10"),
                name=_("您自己") if is_own else words("组*者", "o*r"),
            ),
            state=state,
            is_own=is_own,
            url="#",
        )

    def approval(line: approvals.ApprovalLine, **values: Any) -> approvals.ApprovalPage:
        page: dict[str, Any] = {
            "line": line,
            "people": [
                approvals.ApprovalPerson(
                    name=words("王*芳", "Volunteer A"),
                    time=words("昨天 14:00–17:00", "yesterday 14:00–17:00"),
                    duration=duration(180, language=language),
                )
            ]
            * 3,
            "can_decide": line.state == "waiting" and not line.is_own,
            "decision_url": "#",
            "list_url": "#",
            "decided": "",
            "reason": Field(),
        }
        return approvals.ApprovalPage(**page | values)

    def signal(
        kind: str, *, name: str = "", state: Literal["waiting", "checking"] = "waiting"
    ) -> review.SignalLine:
        return review.SignalLine(
            kind=_(f"signal.{kind}"),
            name=name or words("海滨公园净滩", "Shore clean-up"),
            seen=_(f"signal.{kind}.seen").format(
                people=12, times=8, percent=62, value=duration(1030, language=language)
            ),
            hours=duration(2160, language=language),
            time=words("11月16日 周六 14:00–17:00", "Sat 16 Nov 14:00–17:00"),
            state=state,
            url="#",
        )

    def feed(*, address: str = "", made: str = "") -> calendar.FeedPart:
        return calendar.FeedPart(address=address, made=made, action_url="#")

    def day(number: int) -> calendar.MonthDay:
        is_in = 1 <= number <= 30
        busy = {2: 1, 9: 1, 16: 1, 22: 3, 23: 2, 30: 1}.get(number, 0)
        return calendar.MonthDay(
            label=str(number) if is_in else "",
            name=words(f"2024年11月{number}日", f"{number} Nov 2024"),
            url="#",
            is_today=number == 22,
            shifts=[
                calendar.MonthShift(
                    time=f"{9 + 3 * turn:02}:00",
                    title=words("海滨公园净滩", "Shore clean-up"),
                    url="#",
                    is_cancelled=turn == 1,
                )
                for turn in range(busy)
            ],
        )

    def item(result: str, is_open: bool) -> samples.ItemLine:
        return samples.ItemLine(
            seq=str(3_400_017 + len(result) + is_open),
            title=words("海滨公园净滩", "Shore clean-up"),
            detail=words(
                "11月16日 周六 14:00 · 志愿服务队甲", "Sat 16 Nov 14:00 · Volunteer team A"
            ),
            volunteer="3304 2400 0013",
            duration=duration(180, language=language),
            evidence="declared",
            result=result,
            note=words("电话问过本人", "called the volunteer") if result else "",
            results=[
                Choice(
                    value=each,
                    label=_(f"check_result.{each}"),
                    is_selected=bool(result) and each == "true",
                )
                for each in ("true", "wrong", "unclear")
            ]
            if is_open
            else [],
            action_url="#",
        )

    limit = _(
        "一次手工记入超过 {people} 人或合计 {hours}，要两个人：一人提交，另一人同意。",
        people=10,
        hours=duration(1800, language=language),
    )
    organizer, officer = framed("organizer"), framed("officer")
    return {
        "organizer-approvals": (
            "organizer/approvals.html",
            approvals.ApprovalsPage(
                waiting=[entry("waiting"), entry("waiting", is_own=True)],
                decided=[entry("approved"), entry("sent_back"), entry("replaced")],
                limit=limit,
            ),
            organizer,
        ),
        "organizer-approvals-empty": (
            "organizer/approvals.html",
            approvals.ApprovalsPage(waiting=[], decided=[], limit=limit),
            organizer,
        ),
        "district-approval": (
            "organizer/approval.html",
            approval(
                entry("waiting"),
                reason=Field(value="", error=_("approval.reason_length")),
                error=_("approval.grew"),
            ),
            officer,
        ),
        "organizer-messages": (
            "organizer/messages.html",
            shift_messages.ShiftMessagesPage(
                activity=words("海滨公园净滩", "Shore clean-up"),
                time=words("今天 14:00–17:00", "today 14:00–17:00"),
                to=_("发给报了名的 {count} 人；候补的 {waiting} 人不发。", count=18, waiting=4),
                limit=_("最多 {length} 个字，一天最多 {times} 条。", length=200, times=5),
                length_max=200,
                text=Field(value="", error=_("message.text_length")),
                sent=[
                    shift_messages.SentMessage(
                        text=words("下雨，改在文化礼堂集合。", "Rain: we meet in the hall."),
                        detail=_(
                            "{time}，发给 {count} 人",
                            time=words("今天 09:00", "today 09:00"),
                            count=18,
                        ),
                    )
                ],
                action_url="#",
                back_url="#",
            ),
            organizer,
        ),
        "volunteer-profile": (
            "volunteer/profile.html",
            profile.ProfilePage(
                name=words("王*芳", "V*A"),
                number="330424 0000 0101 4",
                home=words("示例镇 示例村", "Sample town, sample village"),
                since=words("2024年3月1日", "1 March 2024"),
                counties=[
                    Choice(
                        value="330424", label=words("示例县", "Sample county"), is_selected=True
                    ),
                    Choice(value="330481", label=words("邻县", "Next county"), is_selected=False),
                ],
                towns=[
                    ChoiceGroup(
                        label=words("示例镇", "Sample town"),
                        choices=[
                            Choice(
                                value="330424101001",
                                label=words("示例村", "Sample village"),
                                is_selected=False,
                            )
                        ],
                    )
                ],
                village_error=_("请选择您住的村或社区"),
                is_leaving=False,
                county_url="#",
                action_url="#",
                back_url="#",
            ),
            framed("volunteer"),
        ),
        "district-entries": (
            "district/entries.html",
            correcting.FindEntryPage(
                number=Field(value="1024", error=_("没有这个编号的服务记录")),
                action_url="#",
                back_url="#",
            ),
            officer,
        ),
        "district-entry": (
            "district/entry.html",
            entry_page(action_url="#"),
            officer,
        ),
        "district-entry-corrected": (
            "district/entry.html",
            entry_page(
                taken_back=words(
                    "今天 09:12 · 签到表上是半天", "today 09:12 · half a day on the sheet"
                ),
                proof=words("签到表 17 号", "sheet 17"),
                replacement_url="#",
            ),
            officer,
        ),
        "organizer-places": (
            "organizer/places.html",
            shift_places.PlacesPage(
                activity=words("海滨公园净滩", "Shore clean-up"),
                time=words("今天 14:00–17:00", "today 14:00–17:00"),
                taken=_("已报名 {count} 人，候补 {waiting} 人。", count=18, waiting=4),
                places=Field(value="12", error=_("places.taken")),
                places_min=18,
                places_max=5_000,
                action_url="#",
                back_url="#",
            ),
            organizer,
        ),
        "organizer-calendar": (
            "organizer/calendar.html",
            calendar.MonthPage(
                month=words("2024年11月", "Nov 2024"),
                previous_url="#",
                next_url="#",
                weekdays=[
                    weekday(date(2024, 11, 4) + timedelta(days=each), language=language)
                    for each in range(7)
                ],
                weeks=[[day(7 * week + each - 3) for each in range(7)] for week in range(5)],
                count=_("这个月 {count} 场", count=9),
                feed=feed(made=words("昨天 10:00", "yesterday 10:00")),
            ),
            organizer,
        ),
        "volunteer-calendar": (
            "volunteer/calendar.html",
            calendar.FeedPage(
                feed=feed(
                    address="https://time.example.org/calendar/AbCdEfGhIjKlMnOpQrStUvWxYz012345.ics"
                ),
                back_url="#",
            ),
            framed("volunteer"),
        ),
        "volunteer-calendar-none": (
            "volunteer/calendar.html",
            calendar.FeedPage(feed=feed(), back_url="#"),
            framed("volunteer"),
        ),
        "district-review": (
            "district/review.html",
            review.ReviewPage(
                spans=[
                    Link(label=_("近 {days} 天", days=each), url="#", is_current=each == 90)
                    for each in (30, 90, 365)
                ],
                signals=[
                    signal("no_departures"),
                    signal("same_set", state="checking"),
                    signal("long_day", name=_("志愿者 {digits}", digits="3304 2400 0013")),
                ],
                found=_("{count} 条要看", count=3),
                samples_url="#",
                approvals_url="#",
                thresholds_url="#",
                entries_url="#",
            ),
            officer,
        ),
        "district-review-empty": (
            "district/review.html",
            review.ReviewPage(
                spans=[],
                signals=[],
                found=_("{count} 条要看", count=0),
                samples_url="#",
                approvals_url="#",
                thresholds_url="#",
                entries_url="#",
            ),
            officer,
        ),
        "district-signal": (
            "district/signal.html",
            review.SignalPage(
                line=signal("no_departures"),
                why=_("signal.no_departures.why"),
                innocent=_("signal.no_departures.innocent"),
                rows=[
                    review.EvidenceRow(
                        title=words("海滨公园净滩", "Shore clean-up"),
                        detail=words(
                            "11月16日 周六 14:00 · 志愿服务队甲",
                            "Sat 16 Nov 14:00 · Volunteer team A",
                        ),
                        volunteer="3304 2400 0013",
                        duration=duration(180, language=language),
                        evidence="confirmed",
                        note=_(
                            "第 {seq} 条，{time}记入",
                            seq="12,345",
                            time=words("11月17日 周日 09:10", "Sun 17 Nov 09:10"),
                        ),
                    )
                ]
                * 2,
                before=words(
                    "11月18日 周一 10:00 · 正在核查 · 已电话联系",
                    "Mon 18 Nov 10:00 · Being checked · called them",
                ),
                can_review=True,
                action_url="#",
                back_url="#",
                outcomes=[
                    Choice(
                        value=each,
                        label=_(f"review_outcome.{each}"),
                        is_selected=each == "checking",
                    )
                    for each in ("dismissed", "checking", "corrected")
                ],
                reason=Field(value="", error=_("review.reason_length")),
            ),
            officer,
        ),
        "district-thresholds": (
            "district/thresholds.html",
            review.ThresholdsPage(
                lines=[
                    review.ThresholdLine(
                        name=_(each.value),
                        value=str(value),
                        source=_("本系统的建议值，没有文件依据"),
                    )
                    for each, value in DEFAULTS.items()
                ],
                can_set=True,
                action_url="#",
                back_url="#",
                choices=[Choice(value=each.value, label=_(each.value)) for each in DEFAULTS],
                value=Field(value="0", error=_("threshold_setting.value")),
                from_on=Field(value="2024-11-22"),
                source=Field(),
            ),
            officer,
        ),
        "district-samples": (
            "district/samples.html",
            samples.SamplesPage(
                lines=[
                    samples.SampleLine(
                        title=_(
                            "{month}，{size} 条", month=words("2024年10月", "Oct 2024"), size=30
                        ),
                        detail=_("{time}抽取", time=words("今天 09:00", "today 09:00")),
                        is_published=is_published,
                        url="#",
                    )
                    for is_published in (False, True)
                ],
                can_draw=True,
                is_above=False,
                action_url="#",
                back_url="#",
                months=[Choice(value="2024-10", label=words("2024年10月", "Oct 2024"))],
                size=Field(value="30"),
                error=_("sample.not_signed"),
            ),
            officer,
        ),
        "district-samples-above": (
            "district/samples.html",
            samples.SamplesPage(
                lines=[],
                can_draw=False,
                is_above=True,
                action_url="#",
                back_url="#",
                months=[],
                size=Field(),
            ),
            officer,
        ),
        "district-sample": (
            "district/sample.html",
            samples.SamplePage(
                title=_("{month}，{size} 条", month=words("2024年10月", "Oct 2024"), size=2),
                detail=_("第 {first} 到 {last} 条记录里抽取", first="1", last="3,700"),
                seed="5d1f" * 16,
                items=[
                    item("", True),
                    item(_("check_result.true"), True),
                    item(_("check_result.wrong"), False),
                ],
                left=_("还有 {count} 条没有核对", count=1),
                publish_url="#",
                public_url="",
                back_url="#",
            ),
            officer,
        ),
        "public-sample": (
            "public/sample.html",
            samples.ResultPage(
                title=_("{month}服务记录抽查结果", month=words("2024年10月", "Oct 2024")),
                region=words("嘉兴市海盐县", "Haiyan"),
                period=_("{month}记入账本的服务", month=words("2024年10月", "Oct 2024")),
                published=words("2024年11月22日", "22 Nov 2024"),
                summary=_(
                    "抽查 {count} 条：属实 {true} 条，不实 {wrong} 条，无法核实 {unclear} 条。",
                    count=30,
                    true=28,
                    wrong=1,
                    unclear=1,
                ),
                rows=[
                    samples.ResultRow(
                        name=_("evidence.declared") + _("，组织者有待查异常"),
                        held="1,234",
                        drawn="12",
                        true="10",
                        wrong="1",
                        unclear="1",
                    ),
                    samples.ResultRow(
                        name=_("evidence.scanned"),
                        held="23,456",
                        drawn="18",
                        true="18",
                        wrong="0",
                        unclear="0",
                    ),
                ],
                seed="5d1f" * 16,
                seed_size="3,700,412",
                range="3,400,000–3,700,000",
                flagged="12、85",
                entries="、".join(str(3_400_017 + 97 * each) for each in range(30)),
            ),
            framed(""),
        ),
        "organizer-approval-own": (
            "organizer/approval.html",
            approval(entry("waiting", is_own=True)),
            organizer,
        ),
    }
