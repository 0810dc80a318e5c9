"""Sample values for every page, with plainly generic names, for rendering tests and previews."""

from dataclasses import dataclass, replace
from typing import Any

from tests.web.sample_benefits import benefit_samples, selection_samples
from tests.web.sample_door import door_samples
from tests.web.sample_objections import objection_pages
from tests.web.sample_papers import paper_pages
from tests.web.sample_programs import program_samples
from tests.web.sample_rules import rule_samples
from tests.web.sample_sessions import session_samples

from timebank.web import activity_month as activity_months
from timebank.web import (
    attendance,
    cards,
    comparison,
    consenting,
    course,
    deadline,
    demo,
    district,
    district_frame,
    enrolment,
    groups,
    helping,
    honours,
    joining,
    offline,
    organizer,
    paper,
    policies,
    policy_words,
    public,
    publications,
    publishing,
    records,
    scan,
    sign_in,
    verify,
    volunteer,
    wall,
)
from timebank.web.catalog import Language, translator
from timebank.web.code_picture import code_picture
from timebank.web.format import duration, duration_parts
from timebank.web.icons import NAMES
from timebank.web.parts import (
    Choice,
    ChoiceGroup,
    EvidenceShares,
    Field,
    Frame,
    Link,
    NavigationItem,
    SignInForm,
)


@dataclass(frozen=True)
class Sample:
    template: str
    page: Any
    frame: Frame


def navigation(role: str, language: Language) -> list[NavigationItem]:
    _ = translator(language)
    items = {
        "volunteer": [
            ("首页", "house"),
            ("活动", "calendar-days"),
            ("记录", "list"),
            ("荣誉", "award"),
        ],
        "organizer": [
            ("今天", "calendar-days"),
            ("发布活动", "plus"),
            ("两人复核", "users"),
            ("更正申请", "flag"),
        ],
        "partner": [("核销", "scan-line")],
        "officer": [
            ("活跃率", "landmark"),
            ("政策", "scroll-text"),
            ("核查", "search"),
            ("申诉", "flag"),
        ],
        "": [],
    }[role]
    return [
        NavigationItem(label=_(label), url="#", icon=icon, is_current=i == 0)
        for i, (label, icon) in enumerate(items)
    ]


def frame(role: str, *, language: Language, is_large: bool = False, notice: str = "") -> Frame:
    _ = translator(language)
    return Frame(
        language=language,
        is_large=is_large,
        site_name="海盐时间银行" if language == "zh" else "Haiyan Time Bank",
        return_to="/",
        preference_url="/preferences",
        sign_out_url="/sign-out",
        sign_in_url="/sign-in",
        csrf_field="_csrf_token",
        csrf_token="sample",
        actor_name="志愿者 A" if role else "",
        actor_role=_(f"role.{role}") if role else "",
        home_url="/",
        navigation=navigation(role, language),
        is_demo=True,
        outbox_url="/outbox",
        notice=notice,
    )


def samples(language: Language, *, is_large: bool = False) -> dict[str, Sample]:
    _ = translator(language)
    zh = language == "zh"

    def words(chinese: str, english: str) -> str:
        return chinese if zh else english

    def time(minutes: int) -> str:
        return duration(minutes, language=language)

    def parts(minutes: int) -> list[tuple[str, str]]:
        return duration_parts(minutes, language=language)

    def framed(role: str, notice: str = "") -> Frame:
        return frame(role, language=language, is_large=is_large, notice=notice)

    park = words("海滨公园净滩", "Shore clean-up")
    meals = words("社区食堂送餐", "Meals for the elderly")
    place = words("武原街道海滨公园东门", "East gate, Haibin Park, Wuyuan")
    team = words("志愿服务队甲", "Volunteer team A")
    today = words("今天 14:00–17:00", "today 14:00–17:00")
    code = code_picture("https://example.org/s/AQIDBAUGBwgJCgsMDQ4PEBESEw", is_projected=True)
    shares = EvidenceShares(
        scanned_percent=72,
        confirmed_percent=19,
        declared_percent=9,
        scanned="72 %",
        confirmed="19 %",
        declared="9 %",
    )
    star = words("三星志愿者", "three stars")
    phone_step = SignInForm(
        step="phone", action_url="/sign-in", return_to="/", phone=Field(), code=Field()
    )
    code_step = SignInForm(
        step="code",
        action_url="/sign-in/code",
        return_to="/",
        phone=Field(value="13800000000"),
        code=Field(value="12345", error=_("sign_in.code_wrong")),
        phone_masked="138****0000",
        restart_url="/sign-in",
    )
    newest = [
        volunteer.RecordLine(
            activity=park,
            day=words("昨天", "yesterday"),
            duration=time(180),
            evidence="scanned",
            url="#",
        ),
        volunteer.RecordLine(
            activity=meals,
            day=words("11月16日 周六", "Sat 16 Nov"),
            duration=time(200),
            evidence="confirmed",
            url="#",
        ),
        volunteer.RecordLine(
            activity=words("图书馆整理图书", "Shelving at the library"),
            day=words("11月9日 周六", "Sat 9 Nov"),
            duration=time(95),
            evidence="declared",
            url="#",
        ),
    ]

    def home(state: str | None) -> volunteer.HomePage:
        return volunteer.HomePage(
            server_ms=1732240000000,
            name=words("志愿者 A", "Volunteer A"),
            number="330424-000123",
            year="2024",
            hours=parts(5200) if state else parts(0),
            life_total=time(12800),
            star=words("二星级志愿者", "Two-star volunteer") if state else "",
            next_star=volunteer.NextStar(
                percent=71,
                stars=2,
                title=star,
                missing=time(5200),
                have=time(12800),
                need=time(18000),
                by="",
            ),
            today=volunteer.TodayShift(
                activity=park,
                time=today,
                place=place,
                state=state,
                hint=words("现在可以签到", "You can check in now"),
                steps=words(
                    "走到组织者的屏幕前|打开手机相机，对准“扫码签到”的码|点开链接，按“签到”",
                    "Go to the organizer's screen|Point your camera at the code|Press “Check in”",
                ).split("|")
                if state in {"open", "arrived"}
                else [],
                demo_scan=[("book", "330424")] if state == "arrived" else [],
                action_label=words("查看场次", "See the shift"),
                action_url="#",
            )
            if state
            else None,
            upcoming=[
                (words("明天 08:30–11:30", "tomorrow 08:30–11:30"), Link(label=meals, url="#"))
            ],
            records=newest if state else [],
            benefits=[
                volunteer.Benefit(
                    title=words("观影礼遇", "Film pass"),
                    detail=words("本年度可用,至12月31日", "good this year, until 31 Dec"),
                    url="#",
                )
            ]
            if state
            else [],
            activities_url="#",
            records_url="#",
            honours_url="#",
        )

    def result(outcome: str, refusal: str = "") -> scan.ResultPage:
        left = outcome == "left"
        return scan.ResultPage(
            outcome=outcome,
            volunteer_name=words("志愿者 A", "Volunteer A"),
            activity=park,
            time=today,
            place=place,
            scanned_at="13:58" if outcome == "arrived" else "17:04",
            credited=parts(200) if left else [],
            credited_from="14:00" if left else "",
            credited_to="17:00" if left else "",
            evidence="scanned" if left else None,
            entry="12,345" if left else "",
            year_total=time(5200) if left else "",
            leave_hint=words(
                "离开时再扫一次。17:00 以后扫,时间记到 17:00。",
                "Scan again when you leave. Time counts until 17:00.",
            )
            if outcome == "arrived"
            else "",
            code=refusal,
            reason=_(refusal) if refusal else "",
            way_out=_(f"{refusal}.hint") if refusal else "",
            action_label=words("回到我的服务", "Back to my service"),
            action_url="#",
        )

    def on_wall(purpose: str) -> wall.CodePage:
        return wall.CodePage(
            activity=park,
            time=today,
            place=place,
            purpose=purpose,
            arrive_url="#a",
            leave_url="#l",
            shift_url="#s",
            door_url="#d",
            fragment_url="/fragment",
            is_for_this_machine=purpose == "leave",
            refresh_seconds=10,
            code=wall.CodeFragment(
                picture=code,
                refresh_ms=600_000,
                server_ms=0,
                signed_up=20,
                arrived=12,
                left=0 if purpose == "arrive" else 3,
                latest=[("王*芳", "13:58"), ("李*", "13:57"), ("陈*国", "13:57"), ("沈*", "13:55")],
                digits="482 913",
                closed="",
            ),
        )

    found: dict[str, Sample] = {
        "public-landing": Sample(
            "public/landing.html",
            public.LandingPage(
                region=words("海盐县", "Haiyan County"),
                year="2024",
                is_partial=False,
                sample="",
                rate="1,576",
                rate_percent="15.8 %",
                active="72,000",
                residents="456,775",
                residents_source=words("第七次全国人口普查,2020-11-01", "2020 census, 1 Nov 2020"),
                hours=words("1,139 万小时", "11.4 million h"),
                entries="3,700,412",
                doors=[
                    public.Door(
                        role="volunteer",
                        url="/demo",
                        demo_actor="a",
                        demo_name=words("志愿者 A", "Volunteer A"),
                    ),
                    public.Door(
                        role="organizer",
                        url="/demo",
                        demo_actor="b",
                        demo_name=words("组织者 B", "Organizer B"),
                    ),
                    public.Door(
                        role="officer",
                        url="/demo",
                        demo_actor="c",
                        demo_name=words("区县工作人员 C", "Officer C"),
                    ),
                ],
                phone_url="http://192.0.2.10:8000",
                phone_code=code_picture("http://192.0.2.10:8000"),
            ),
            framed(""),
        ),
        "volunteer-home": Sample("volunteer/home.html", home("open"), framed("volunteer")),
        "volunteer-home-new": Sample("volunteer/home.html", home(None), framed("volunteer")),
        "scan-arrived": Sample("scan/result.html", result("arrived"), framed("volunteer")),
        "scan-left": Sample("scan/result.html", result("left"), framed("volunteer")),
        "scan-refused": Sample(
            "scan/result.html", result("refused", "scan.too_early"), framed("volunteer")
        ),
        "organizer-code-arrive": Sample(
            "organizer/code.html", on_wall("arrive"), framed("organizer")
        ),
        "organizer-code-leave": Sample(
            "organizer/code.html", on_wall("leave"), framed("organizer")
        ),
    }

    def shift_line(state: str, **changes: Any) -> joining.ActivityShift:
        values = {
            "day": words("今天", "today"),
            "time": "14:00–17:00",
            "duration": time(180),
            "places": words("14 / 20 人", "14 of 20"),
            "filled_percent": 70,
            "state": state,
            "action_url": "#",
            "note": "",
        }
        return joining.ActivityShift(**(values | changes))

    def card(title: str, state: str, places: str, field: str) -> joining.ShiftCard:
        return joining.ShiftCard(
            activity=title,
            url="#",
            time="14:00–17:00",
            duration=time(180),
            place=place,
            field=_(field),
            organization=team,
            places=places,
            state=state,
        )

    towns = [
        words(a, b)
        for a, b in [
            ("武原街道", "Wuyuan"),
            ("西塘桥街道", "Xitangqiao"),
            ("望海街道", "Wanghai"),
            ("秦山街道", "Qinshan"),
            ("沈荡镇", "Shendang"),
            ("百步镇", "Baibu"),
            ("于城镇", "Yucheng"),
            ("澉浦镇", "Ganpu"),
            ("通元镇", "Tongyuan"),
        ]
    ]
    town_choices = [Choice(value="", label=words("全县", "Whole county"), is_selected=True)] + [
        Choice(value=str(i), label=town) for i, town in enumerate(towns)
    ]
    village_groups = [
        ChoiceGroup(
            label=town,
            choices=[
                Choice(value=f"{i}-{j}", label=words(f"{town}第{j}社区", f"{town} community {j}"))
                for j in (1, 2)
            ],
        )
        for i, town in enumerate(towns[:3])
    ]
    fields = [Choice(value="", label=_("全部领域"), is_selected=True)] + [
        Choice(value=code, label=_(f"service_field.{code}"))
        for code in ("elder_care", "environment", "culture")
    ]

    def activities(groups: list[joining.ShiftDay]) -> joining.ActivitiesPage:
        names = words("周五 周六 周日 周一 周二 周三 周四", "Fri Sat Sun Mon Tue Wed Thu").split()
        return joining.ActivitiesPage(
            action_url="#",
            day="2024-11-22",
            days=[
                joining.DayTab(
                    label=words("今天", "today") if i == 0 else str(22 + i),
                    weekday=name,
                    url="#",
                    count=(5, 12, 9, 2, 0, 3, 4)[i],
                    is_selected=i == 0,
                )
                for i, name in enumerate(names)
            ],
            fields=fields,
            towns=town_choices,
            found=words("今天有 5 场", "5 shifts today") if groups else words("没有", "nothing"),
            groups=groups,
            more_url="#" if groups else "",
            clear_url="#",
            month_url="#",
        )

    def activity_month(counts: dict[int, int]) -> activity_months.ActivityMonthPage:
        names = words("周一 周二 周三 周四 周五 周六 周日", "Mon Tue Wed Thu Fri Sat Sun").split()
        # November 2024 begins on a Friday.
        days = range(-3, 32)
        return activity_months.ActivityMonthPage(
            month=words("2024年11月", "Nov 2024"),
            chosen="2024-11",
            action_url="#",
            previous_url="#" if not counts else "",
            next_url="#",
            weekdays=names,
            days=[
                activity_months.ActivityDay(
                    number=str(each) if 1 <= each <= 30 else "",
                    weekday=names[(each + 3) % 7],
                    name=words(
                        f"11月{each}日，{counts.get(each)} 场", f"{each} Nov: {counts.get(each)}"
                    ),
                    count=counts.get(each, 0),
                    url="#" if each in counts else "",
                    is_today=each == 22,
                    is_over=each < 22,
                )
                for each in days
            ],
            fields=fields,
            towns=town_choices,
            found=_("这个月 {count} 场", count=sum(counts.values())) if counts else "",
            list_url="#",
        )

    def record(activity: str, evidence: str, minutes: int, **changes: Any) -> records.Record:
        values = {
            "activity": activity,
            "day": words("11月16日 周六", "Sat 16 Nov"),
            "duration": time(minutes),
            "evidence": evidence,
            "field": _("service_field.environment"),
            "organization": team,
            "person_in_charge": words("组织者 B", "Organizer B"),
            "place": place,
            "time": "14:00–17:00",
            "arrived": words("13:58 扫码", "13:58 scanned"),
            "left": words("17:04 扫码", "17:04 scanned"),
            "grade": _("assurance.2"),
            "entry": "12,345",
            "recorded": words("11月16日 17:04 ", "16 Nov 17:04"),
            "correction": "",
            "late": "",
            "objection": "",
            "objection_url": "#",
            "proof_url": "#",
        }
        return records.Record(**(values | changes))

    def records_page(months: list[records.RecordMonth]) -> records.RecordsPage:
        return records.RecordsPage(
            year="2024",
            years=[
                Link(label=year, url="#", is_current=year == "2024")
                for year in ("2022", "2023", "2024")
            ],
            hours=parts(5200 if months else 0),
            services=words("28 次服务", "28 services"),
            life_total=time(12800),
            shares=shares,
            months=months,
            activities_url="#",
        )

    checks = [
        policy_words.Check(
            text=words("累计服务满 300 小时", "At least 300 hours in all"),
            state="unmet",
            have=words("现在 213 小时 20 分", "213 h 20 min so far"),
            percent=71,
        ),
        policy_words.Check(
            text=words("至少一半时间有扫码证据", "At least half of the time scanned"),
            state="met",
            have=words("现在 72 %", "72 % so far"),
            percent=100,
        ),
        policy_words.Check(
            text=words("没有失信记录", "No bad credit record"),
            state="unknown",
            have=words("等区县核对", "the district checks this"),
            percent=None,
        ),
    ]

    def rule(title: str, state: str, nearest: str, dimension: str) -> honours.HonourRule:
        return honours.HonourRule(
            title=title,
            dimension=dimension,
            state=state,
            nearest=nearest,
            checks=checks,
            citation=words(
                "《志愿服务记录办法》,2013-01-01 起", "Service recording rules, from 1 Jan 2013"
            ),
            url="#",
        )

    esteem = words("社会尊崇", "Social esteem")
    courtesies = honours.HonoursPage(
        as_of=words("按账本第 12,345 条计算", "as of entry 12,345"),
        held=[
            honours.Honour(
                title=words("二星志愿者", "Two-star volunteer"),
                dimension=esteem,
                granted_on=words("2024年3月5日", "5 Mar 2024"),
                basis=words("累计服务满 300 小时", "300 hours of service in all"),
                valid=words("终身", "for life"),
                entry="9,876",
            )
        ],
        next_rule=rule(
            star,
            "unmet",
            words("再服务 86 小时 40 分就是三星志愿者。", "86 h 40 min more for three stars."),
            esteem,
        ),
        other_rules=[
            rule(
                words("观影礼遇", "Film pass"),
                "granted",
                words("已经可以用", "yours already"),
                words("经济激励", "Economic incentive"),
            ),
            rule(
                words("党报赠阅", "Newspaper subscription"),
                "unknown",
                words("等区县核对一项材料", "one fact is being checked"),
                words("政治礼遇", "Political courtesy"),
            ),
            rule(
                words("积分入学加分", "School points"),
                "unmet",
                words("今年再服务 13 小时 20 分", "13 h 20 min more this year"),
                esteem,
            ),
        ],
    )

    def day_shift(
        title: str, start: str, end: str, state: str, **changes: Any
    ) -> organizer.DayShift:
        values = {
            "activity": title,
            "time": f"{start}–{end}",
            "place": place,
            "state": state,
            "signed_up": 20,
            "arrived": 12,
            "left": 0,
            "start_percent": 0,
            "width_percent": 20,
            "exceptions": "",
            "url": "#",
            "code_url": "",
        }
        return organizer.DayShift(**(values | changes))

    def clock(state: str, percent: int) -> deadline.Deadline:
        left = {
            "late": ("已超 2 个工作日", "2 working days over"),
            "soon": ("还剩 2 个工作日", "2 working days left"),
            "running": ("还剩 7 个工作日", "7 working days left"),
            "unknown": ("截止日还不知道", "Last day not known yet"),
        }[state]
        due = (
            words("放假安排还没公布", "holidays not announced yet")
            if state == "unknown"
            else words("11月22日 周五截止", "by Fri 22 Nov")
        )
        return deadline.Deadline(left=words(*left), due=due, state=state, percent=percent)

    def organizer_day(shifts: list[organizer.DayShift]) -> organizer.DayPage:
        return organizer.DayPage(
            organization=team,
            day=words("今天 11月22日 周五", "today, Fri 22 Nov"),
            previous_url="#",
            next_url="#",
            today_url="" if shifts else "#",
            ticks=[
                organizer.TimelineTick(label=f"{hour}", percent=(hour - 6) * 100 // 14)
                for hour in range(6, 21, 2)
            ],
            now_percent=63 if shifts else None,
            shifts=shifts,
            next_shifts=[(words("明天 08:30", "tomorrow 08:30"), Link(label=meals, url="#"))],
            waiting=[
                organizer.WaitingShift(
                    activity=title,
                    time=words("11月9日 08:30–11:30", "9 Nov 08:30–11:30"),
                    url="#",
                    exceptions=words("2 人没有签退", "2 without departure") if percent else "",
                    deadline=clock(state, percent),
                )
                for title, state, percent in (
                    (park, "late", 100),
                    (meals, "soon", 80),
                    (meals, "running", 30),
                    (park, "unknown", 0),
                )
            ]
            if shifts
            else [],
            activity_new_url="#",
            activities=[Link(label=park, url="#"), Link(label=meals, url="#")],
        )

    def attendee(letter: str, state: str, evidence: str | None) -> attendance.Attendee:
        return attendance.Attendee(
            name=f"{letter}*",
            number=f"330424-0001{ord(letter)}",
            state=state,
            arrived_at="13:58" if state in {"here", "left"} else "",
            left_at="17:04" if state == "left" else "",
            duration=time(180) if evidence else "",
            evidence=evidence,
        )

    def shift_page(state: str) -> attendance.ShiftPage:
        is_closed = state == "closed"
        return attendance.ShiftPage(
            activity=park,
            activity_url="#",
            day_url="#",
            time=today,
            place=place,
            state=state,
            places=20,
            signed_up=14,
            arrived=12,
            left=10,
            code_url="#" if state == "running" else "",
            door_url="#",
            paper_url="#",
            offline_url="#" if state == "running" else "",
            uploads=words(
                "12 条是离线读到、后来上传的，其中 1 条要您看一看",
                "12 were read offline and sent afterwards, 1 of them to look at",
            )
            if state == "ended"
            else "",
            uploads_url="#",
            open_presences=[]
            if state != "ended"
            else [
                attendance.OpenPresence(
                    signup_id="7", name="王*", arrived_at="13:58", left_at=Field(value="17:00")
                ),
                attendance.OpenPresence(
                    signup_id="8",
                    name="李*芳",
                    arrived_at="14:03",
                    left_at=Field(
                        value="19:30",
                        error=words("不能晚于场次结束 17:00", "not after the shift's end, 17:00"),
                    ),
                ),
            ],
            can_waive=True,
            rule=_("forgotten_rule.review"),
            warnings=[
                words("陈* 同一时间还在另一场签到", "Chen* checked in elsewhere at the same time")
            ]
            if state == "ended"
            else [],
            people=[
                attendee("A", "left", "scanned"),
                attendee("B", "left", "confirmed"),
                attendee("C", "here", None),
                attendee("D", "expected", None),
                attendee("E", "absent", None),
                attendee("F", "withdrawn", None),
            ],
            close_url="#" if state == "ended" else "",
            deadline=clock("running", 30) if state == "ended" else None,
            late=words("迟记 3 天", "recorded 3 days late") if is_closed else "",
            closed=words(
                "11月22日 18:20 由组织者 B 结束", "Closed on 22 Nov, 18:20, by organizer B"
            )
            if is_closed
            else "",
            total=time(2160) if state != "running" else "",
        )

    def paper_page(preview: paper.Preview | None, *, error: str = "") -> paper.PaperPage:
        return paper.PaperPage(
            activity=park,
            time=today,
            place=place,
            shift_url="#",
            sheet_url="#",
            cards_url="#",
            action_url="#",
            closed="",
            starts="14:00",
            ends="17:00",
            expected=[
                paper.ExpectedPerson(
                    key=f"330424-{i}",
                    name=words(f"示例 {i}", f"Example {i}"),
                    number=f"33042400000{i}0007",
                    is_ticked=i == 1,
                    arrived="14:00",
                    left="17:00",
                )
                for i in range(1, 4)
            ],
            others=Field(),
            lines_max=300,
            preview=preview,
            typed=[],
            entered=[
                (
                    words("示*例", "E*e"),
                    "14:00–16:30",
                    words("组*者 录入，今天 17:40", "Entered by O*r, today 17:40"),
                )
            ],
            error=error,
        )

    paper_preview = paper.Preview(
        lines=[
            paper.PreviewLine(
                label=words("示*例", "E*e"),
                times="14:00–17:00",
                duration=time(180),
                code="",
                error="",
            ),
            paper.PreviewLine(
                label="13800000000 14:00 19:00",
                times="14:00–19:00",
                duration="",
                code="paper.outside_shift",
                error=_("paper.outside_shift"),
            ),
        ],
        credited=1,
        refused=1,
    )

    def consent_line() -> consenting.ConsentLine:
        return consenting.ConsentLine(
            who=words("示*例 138****0000", "E*e 138****0000"),
            may=_("help.sign_up"),
            state=words("到 2025年6月30日 为止", "until 30 Jun 2025"),
            stands=True,
            revoke_url="#",
            open_url="#",
        )

    def consent_fields(until_error: str) -> consenting.ConsentFields:
        return consenting.ConsentFields(
            action_url="#",
            volunteer=Field(),
            phone=Field(value="13800000000"),
            until=Field(value="2030-01-01", error=_(until_error) if until_error else ""),
            until_max="2025-11-22",
            may_sign_up=True,
            may_see_records=False,
            scope_error="",
            form_error="",
        )

    def helped_shift(is_signed_up: bool) -> helping.HelpedShift:
        return helping.HelpedShift(
            title=park,
            time=today,
            place=place,
            is_signed_up=is_signed_up,
            is_full=False,
            action_url="#",
        )

    def region(i: int, name: str, rate: int) -> district.RegionRow:
        known = rate > 0
        width = rate * 100 // 2160
        return district.RegionRow(
            name=name,
            url="#",
            rank=str(i + 1) if known else "",
            residents="52,418" if known else "",
            registered="15,020",
            active="8,123",
            rate=f"{rate:,}" if known else "",
            rate_percent=f"{rate / 100:.1f} %" if known else "",
            hours=words("126.4 万小时", "1.3 million h"),
            shares=shares,
            scanned_width=width * 72 // 100,
            confirmed_width=width * 19 // 100,
            declared_width=width * 9 // 100,
        )

    rates = [2160, 1893, 1702, 1655, 1580, 1490, 1312, 987, 0]
    spots = [(2, 1), (3, 0), (2, 0), (2, 2), (1, 0), (0, 1), (1, 1), (1, 3), (1, 2)]

    def head_of(view: str) -> district_frame.DistrictHead:
        return district_frame.DistrictHead(
            region=words("海盐县", "Haiyan County"),
            crumbs=[
                Link(label=words("嘉兴市", "Jiaxing"), url="#"),
                Link(label=words("海盐县", "Haiyan County"), url="#", is_current=True),
            ],
            views=[
                Link(label=label, url="#", is_current=name == view)
                for name, label in (
                    ("overview", _("概况")),
                    ("course", _("走势")),
                    ("groups", _("分组")),
                    ("compare", _("比较")),
                )
            ],
            years=[
                Link(label=year, url="#", is_current=year == "2024") for year in ("2023", "2024")
            ],
            year="2024",
            definition=words("活跃率（常住人口）", "Active rate (of residents)"),
            definitions=[
                Link(label=words("活跃率（常住人口）", "Active rate (of residents)"), url="#"),
                Link(label=words("活跃率（信用时数）", "Active rate (credit hours)"), url="#"),
            ],
        )

    head = head_of("overview")
    overview = district.OverviewPage(
        region=words("海盐县", "Haiyan County"),
        head=head,
        year="2024",
        rate="1,576",
        rate_unit=_("/ 万人"),
        rate_head=_("每万人"),
        rate_percent="15.8 %",
        active="72,000",
        registered="140,000",
        residents="456,775",
        residents_source=words("第七次全国人口普查,2020-11-01", "2020 census, 1 Nov 2020"),
        definition=words(
            "2024 年内有过至少一次服务、服务时间大于零的海盐县居民,除以海盐县常住人口,乘一万。三种证据的时间都算。",
            "Residents of Haiyan with at least one service of more than zero minutes in 2024, divided by residents, times ten thousand. All three kinds of evidence count.",
        ),
        definition_name=words(
            "活跃率的定义,2024-01-01 起", "How the rate is defined, from 1 Jan 2024"
        ),
        as_of="3,700,412",
        trend=words("比 2023 年多 112", "112 more than in 2023"),
        trend_direction="up",
        is_partial=False,
        is_empty=False,
        sample="",
        hours=words("1,139 万小时", "11.4 million h"),
        shares=shares,
        level=words("镇(街道)", "town"),
        rows=[
            region(i, name, rate) for i, (name, rate) in enumerate(zip(towns, rates, strict=True))
        ],
        tiles=[
            district.RegionTile(
                label=name.removesuffix("街道").removesuffix("镇"),
                column=c,
                row=r,
                step=0 if not rate else min(5, rate // 400),
                rate=f"{rate:,}" if rate else "",
                url="#",
            )
            for name, rate, (c, r) in zip(towns, rates, spots, strict=True)
        ],
        tiles_note=words(
            "方块按大致方位摆放，大小不代表面积。",
            "Tiles lie roughly as the towns do; size means nothing.",
        ),
        columns=4,
        tile_rows=4,
        legend=[
            district.TileStep(step=2, label="800–1,199"),
            district.TileStep(step=3, label="1,200–1,599"),
            district.TileStep(step=4, label="1,600–1,999"),
            district.TileStep(step=5, label="2,000 +"),
            district.TileStep(step=0, label=_("不知道")),
        ],
        live_url="",
        csv_url="#",
        xlsx_url="#",
        programs_url="#",
    )
    notes = [
        course.Note(
            day=words("2024年3月5日", "5 Mar 2024"),
            text=words("学雷锋日，全县集中活动", "Lei Feng day, activities all over the county"),
            who="王*芳",
            when=words("2024年3月8日", "8 Mar 2024"),
            place=words("海盐县", "Haiyan County"),
            take_back_url="#",
        )
    ]
    curve = course.Chart(
        title=_("活跃率一年里怎样长上来"),
        note=_("从一月一日到每月底，按同一口径算；虚线是上一年。"),
        axis=_("月份"),
        series=["2024", "2023"],
        unit=_("/ 万人"),
        is_against=True,
        lines=[
            course.Line(
                label=str(month),
                cells=[
                    course.Cell(value=str(130 * month), text=f"{130 * month:,}"),
                    course.Cell(value=str(118 * month), text=f"{118 * month:,}"),
                ],
                mark=notes[0].text if month == 3 else "",
            )
            for month in range(1, 13)
        ],
    )
    coming = course.Chart(
        title=_("第一次来的人后来还来吗"),
        note=_(
            "按当年第一次服务的月份分组：以后每个完整的月里还服务的人占这一组的比例。各组不能相加。"
        ),
        axis=_("之后第几个月"),
        series=[words("1月（5,120 人）", "Jan (5,120)"), words("2月（2,204 人）", "Feb (2,204)")],
        unit="%",
        lines=[
            course.Line(
                label=str(later),
                cells=[
                    course.Cell(value=str(100 - 6 * later), text=f"{100 - 6 * later} %"),
                    course.Cell(value=str(100 - 7 * later), text=f"{100 - 7 * later} %"),
                ],
            )
            for later in range(11)
        ],
        files=[Link(label="CSV", url="#"), Link(label="XLSX", url="#")],
    )
    a_course = course.CoursePage(
        head=head_of("course"),
        is_empty=False,
        as_of="3,700,412",
        rate=curve,
        cohorts=coming,
        bars=[
            course.MonthBar(
                label=words(f"{month}月", str(month)),
                hours=words("94.2 万小时", "942,000 h"),
                scanned=40 + month,
                confirmed=20,
                declared=9,
            )
            for month in range(1, 13)
        ],
        calendar=[
            course.CalendarMonth(
                label=words(f"{month}月", str(month)),
                total="301,204",
                rows=5,
                days=[
                    course.DayCell(
                        column=day % 7,
                        row=day // 7,
                        step=(day * month) % 6,
                        label=f"2024-{month}-{day + 1}",
                        is_noted=(month, day) == (3, 4),
                    )
                    for day in range(30)
                ],
            )
            for month in range(1, 13)
        ],
        calendar_lines=[
            course.Line(
                label=str(day),
                cells=[course.Cell(value=str(day), text=str(31 * day)) for _month in range(12)],
            )
            for day in range(1, 32)
        ],
        calendar_steps=["34–67", "68–76", "77–91", "92–144", "145–260"],
        notes=notes,
        annotate_url="#",
        day=Field(value="2024-03-05"),
        text=Field(value="", error=_("annotation.text_missing")),
        text_max=120,
    )

    def compared(title: str, period: str) -> comparison.Side:
        return comparison.Side(
            regions=[Choice(value="1", label=title, is_selected=True)],
            periods=[Choice(value="1", label=period, is_selected=True)],
            definitions=[
                Choice(value="1", label=words("活跃率（常住人口）", "Active rate (of residents)"))
            ],
            title=title,
            period=period,
            definition=words("活跃率（常住人口）", "Active rate (of residents)"),
            sentence=overview.definition,
            shares=shares,
        )

    by_field = groups.GroupsPage(
        head=head_of("groups"),
        title=words("海盐县 2024 年：服务领域", "Haiyan County 2024: Fields"),
        parts=[
            Link(label=_(f"part.{name}"), url="#", is_current=name == "field")
            for name in groups.PARTS
            if name != "cohort"
        ],
        part="field",
        region="330424000000",
        definition=head.definition,
        definition_id="active-rate.residents.any-hour",
        sentence=overview.definition,
        note=_("part.field.note"),
        period=words("2024 年", "2024"),
        periods=[Choice(value="2024", label=words("2024 年", "2024"), is_selected=True)],
        shares=shares,
        has_evidence=True,
        axis=_("part.field.axis"),
        heads=[_(f"metric.{name}") for name in groups.PARTS["field"].metrics],
        lines=[
            groups.GroupLine(
                name=_(f"service_field.{name}"),
                url="",
                cells=[
                    "1,204,118",
                    "31,002",
                    words("369 万小时", "3.7 million h"),
                    "80,114",
                    _("不知道"),
                ],
                scanned_width=60 - 15 * place,
                confirmed_width=20 - 4 * place,
                declared_width=18 - 4 * place,
                shares=shares,
            )
            for place, name in enumerate(("elder_care", "community", "environment", "other"))
        ],
        meanings=[
            (_(f"metric.{name}"), _(f"metric.{name}.definition"))
            for name in groups.PARTS["field"].metrics
        ],
        more="12",
        as_of="3,700,412",
        files=[Link(label="CSV", url="#"), Link(label="XLSX", url="#")],
    )
    versus = comparison.ComparisonPage(
        head=head_of("compare"),
        left=compared(words("武原街道", "Wuyuan"), words("2024 年", "2024")),
        right=compared(words("西塘桥街道", "Xitangqiao"), words("2024 年", "2024")),
        lines=[
            comparison.ComparedLine(
                name=_("活跃率"),
                left=words("1,912 / 万人", "1,912 per 10,000"),
                right=words("1,304 / 万人", "1,304 per 10,000"),
                change="+46.6 %",
                is_main=True,
            ),
            comparison.ComparedLine(
                name=_("活跃志愿者"), left="18,204", right="9,310", change="+95.5 %"
            ),
        ],
        caution=_("有一边还没有过完：差别里有一部分是日子还没到。"),
        as_of="3,700,412",
    )
    afterword = publications.Afterword(
        as_of="3,812,007",
        changed=[
            publications.ChangedNumber(
                where="", what=_("活跃志愿者"), published="72,000", now="71,998"
            )
        ],
        places="3",
        reasons=[words("冲正 3 笔，共 9 小时", "3 entries were taken back, 9 h in all")],
        successor="#",
        successor_number=words("第 4 号", "No. 4"),
    )

    def printed(i: int, name: str) -> publications.PublicationRow:
        return publications.PublicationRow(
            rank=str(i + 1),
            name=name,
            rate="1,893",
            active="8,123",
            registered="15,020",
            residents="≈ 52,418",
            hours=words("126.4 万小时", "1.3 million h"),
            width=100 - 8 * i,
            shares=shares,
        )

    gazette = publications.PublicationPage(
        title=words(
            "海盐县 2024 年志愿服务活跃率公报", "Volunteer active rate 2024, Haiyan County"
        ),
        number=words("第 3 号", "No. 3"),
        published=words("2025年1月15日发布", "Published 15 Jan 2025"),
        corrects=words("本号更正第 2 号。", "Corrects No. 2."),
        corrects_url="#",
        region=words("海盐县", "Haiyan County"),
        rate="1,576",
        rate_unit=_("/ 万人"),
        rate_percent="15.8 %",
        rate_head=_("每万人"),
        definition=overview.definition,
        definition_name=overview.definition_name,
        counts=[(_("活跃志愿者"), "72,000"), (_("注册志愿者"), "140,000")],
        shares=shares,
        level=words("镇(街道)", "town"),
        rows=[printed(i, name) for i, name in enumerate(towns)],
        group_level=words("村(社区)", "village"),
        groups=[
            publications.PublicationGroup(
                name=towns[0], rows=[printed(i, name) for i, name in enumerate(towns[:3])]
            )
        ],
        sources=overview.residents_source,
        book="330424",
        seq="3,700,412",
        counted=words("2025年1月15日 10:00", "15 Jan 2025 10:00"),
        log=(
            "time.example.org/330424",
            "3,700,412",
            "IWGaXjVzCWzGaENT5JcWCoPrxSETg8gtH77YmCVZafU=",
        ),
        digest="9ae1df2e5871756a870202992c98fbc6b39ff3328a410977ddcf129901e4546c",
        url="https://time.example.org/publications/330424-3",
        code=code_picture("https://time.example.org/publications/330424-3"),
        pdf_url="#",
        xlsx_url="#",
        json_url="#",
        list_url="#",
        afterword=afterword,
        again_url="#",
    )
    published_cards = [
        publications.PublicationCard(
            title=gazette.title,
            number=gazette.number,
            definition=words("活跃率（常住人口）", "Active rate (of residents)"),
            published=gazette.published,
            digest="9ae1df2e5871",
            url="#",
        )
    ]
    gazettes = publications.PublicationsPage(region=gazette.region, cards=published_cards)
    press = publications.PublishPage(
        region=gazette.region,
        cards=published_cards,
        publish_url="#",
        years=[Choice(value="2024", label="2024", is_selected=True)],
        regions=[Choice(value="1", label=gazette.region, is_selected=True)],
        definitions=[Choice(value="1", label=overview.definition_name, is_selected=True)],
        error=_("publication.unchanged"),
    )
    again = publications.MadeAgainPage(
        title=gazette.title,
        number=gazette.number,
        url="#",
        is_same=False,
        seq="3,700,412",
        parts=[
            publications.MadeAgain(
                name=_("公报数据"), is_same=True, kept=gazette.digest, made=gazette.digest
            ),
            publications.MadeAgain(name="PDF", is_same=None, kept="", made=gazette.digest),
            publications.MadeAgain(
                name="XLSX", is_same=False, kept=gazette.digest, made=gazette.digest[::-1]
            ),
        ],
        afterword=afterword,
    )
    basis = words(
        "《浙江省志愿服务条例》第三十条", "Zhejiang volunteer service regulation, article 30"
    )
    rules = policies.PoliciesPage(
        region=words("海盐县", "Haiyan"),
        packs=[
            policies.PolicyPack(
                title=words("全国星级志愿者", "National stars"),
                issuer=words("民政部", "Ministry of Civil Affairs"),
                filing=words("2013-01-01 起", "from 1 Jan 2013"),
                digest="a91c40e2",
                rules=[
                    policies.PolicyLine(
                        title=star,
                        dimension=esteem,
                        sentence=words(
                            "累计服务满 600 小时,授予三星志愿者。",
                            "Three stars for 600 hours of service in all.",
                        ),
                        valid=words("2013-01-01 起", "from 1 Jan 2013"),
                        granted=words("已发放 1,204 人", "granted to 1,204"),
                        url="#",
                    ),
                    policies.PolicyLine(
                        title=words("一星志愿者", "One star"),
                        dimension=esteem,
                        sentence=words(
                            "累计服务满 100 小时,授予一星志愿者。",
                            "One star for 100 hours of service in all.",
                        ),
                        valid=words("2013-01-01 起", "from 1 Jan 2013"),
                        granted=words("已发放 9,310 人", "granted to 9,310"),
                        url="#",
                    ),
                ],
            )
        ],
    )
    policy = policies.PolicyPage(
        title=words("观影礼遇", "Film pass"),
        dimension=words("经济激励", "Economic incentive"),
        pack=words("海盐礼遇", "Haiyan courtesies"),
        policies_url="#",
        sentence=[
            policy_words.SentencePiece(text=words("一年里服务满 ", "Whoever serves ")),
            policy_words.SentencePiece(
                text=words("200 小时", "200 hours"),
                is_number=True,
                since=words("2024-07-01 起", "since 1 Jul 2024"),
            ),
            policy_words.SentencePiece(
                text=words(
                    ",而且没有失信记录的志愿者,当年可以免费观影 ",
                    " in a year and has no bad credit record may see ",
                )
            ),
            policy_words.SentencePiece(
                text=words("12 场", "12 films"),
                is_number=True,
                since=words("2023-01-01 起", "since 1 Jan 2023"),
            ),
            policy_words.SentencePiece(text=words("。", " free that year.")),
        ],
        legal_basis=basis,
        filing=words("备案号 示例〔2023〕1 号", "filed as sample [2023] 1"),
        valid=words("2023-01-01 起有效", "valid from 1 Jan 2023"),
        parameters=[
            policy_words.ParameterStep(
                name=words("年服务时间", "hours a year"),
                value=words("300 小时", "300 h"),
                since="2023-01-01",
                until="2024-07-01",
                citation=basis,
                is_current=False,
            ),
            policy_words.ParameterStep(
                name=words("年服务时间", "hours a year"),
                value=words("200 小时", "200 h"),
                since="2024-07-01",
                until="",
                citation=basis,
                is_current=True,
            ),
        ],
        cases=[
            policies.PolicyCase(
                person=words("本年度服务时间 200 小时", "This year service time 200 h"),
                on="2024-07-01",
                result=words("观影礼遇", "Film pass"),
                outcome="met",
            ),
            policies.PolicyCase(
                person=words(
                    "本年度服务时间 199 小时 59 分", "This year service time 199 h 59 min"
                ),
                on="2024-07-01",
                result=words("再服务 1 分", "1 min more"),
                outcome="unmet",
            ),
            policies.PolicyCase(
                person=words(
                    "本年度服务时间 200 小时，失信记录不知道", "200 h, bad credit record not known"
                ),
                on="2024-07-01",
                result=words(
                    "要先核实：有没有失信记录", "To be checked first: a bad credit record"
                ),
                outcome="unknown",
            ),
        ],
        run_url="#",
        periods=[
            Choice(value="2024", label="2024", is_selected=True),
            Choice(value="2023", label="2023"),
        ],
        runs=[
            policies.RunOutcome(
                ran=words("刚刚", "just now"),
                period="2024",
                examined="140,000",
                granted="312",
                waiting="6",
                already="1,204",
                unmet="138,450",
                unknown="34",
                as_of="3,700,412",
            )
        ],
    )
    facts = {"activity": park, "organization": team, "time": today, "place": place}
    confirm = {
        "purpose": "arrive",
        "scanned_at": "13:58",
        "kept_until": "14:08",
        "action_url": "#",
        "receipt": "sample",
        **facts,
        "bind_url": "/me/device",
        "challenge": "c0ffee",
        "point": None,
    }
    found |= {
        "public-sign-in": Sample(
            "public/sign_in.html", sign_in.SignInPage(form=phone_step, enrol_url="#"), framed("")
        ),
        "public-sign-in-code": Sample(
            "public/sign_in.html", sign_in.SignInPage(form=code_step, enrol_url=""), framed("")
        ),
        "public-enrol": Sample(
            "public/enrol.html",
            enrolment.EnrolPage(
                action_url="#",
                return_to="/",
                phone_masked="138****0000",
                name=Field(),
                towns=village_groups,
                village_error=_("form.village_missing"),
                is_consent_given=False,
                consent_error="",
            ),
            framed(""),
        ),
        "public-outbox": Sample(
            "public/outbox.html",
            demo.OutboxPage(
                messages=[
                    demo.OutboxMessage(
                        to="138****0000",
                        at=words("今天 13:58", "today 13:58"),
                        code="804213",
                        text=words(
                            "您的验证码是 804213,十分钟内有效。",
                            "Your code is 804213, good for ten minutes.",
                        ),
                    ),
                    demo.OutboxMessage(
                        to="139****0001",
                        at=words("今天 13:40", "today 13:40"),
                        code="",
                        text=words(
                            "明天 08:30 社区食堂送餐,请准时到。",
                            "Meals for the elderly tomorrow at 08:30: please be on time.",
                        ),
                    ),
                ]
            ),
            framed(""),
        ),
        "public-outbox-empty": Sample(
            "public/outbox.html", demo.OutboxPage(messages=[]), framed("")
        ),
        "public-components": Sample(
            "public/components.html", demo.ComponentsPage(code=code, icons=NAMES), framed("")
        ),
        "scan-confirm": Sample(
            "scan/confirm.html",
            scan.ConfirmPage(
                **confirm, volunteer_name=words("志愿者 A", "Volunteer A"), sign_in=None
            ),
            framed(""),
        ),
        "scan-confirm-signed-out": Sample(
            "scan/confirm.html",
            scan.ConfirmPage(**confirm, volunteer_name="", sign_in=phone_step),
            framed(""),
        ),
        "scan-expired": Sample(
            "scan/expired.html",
            scan.ExpiredPage(
                seen_at="14:21",
                code="scan.expired_code",
                reason=_("scan.expired_code"),
                way_out=_("scan.expired_code.hint"),
                home_url="/",
            ),
            framed(""),
        ),
        "volunteer-activities": Sample(
            "volunteer/activities.html",
            activities(
                [
                    joining.ShiftDay(
                        label=words("今天 11月22日", "today, 22 Nov"),
                        shifts=[
                            card(
                                park,
                                "open",
                                words("还有 6 个名额", "6 places left"),
                                "service_field.environment",
                            ),
                            card(
                                meals,
                                "signed_up",
                                words("已报名", "signed up"),
                                "service_field.elder_care",
                            ),
                            card(
                                words("图书馆整理图书", "Shelving at the library"),
                                "full",
                                words("已满", "full"),
                                "service_field.culture",
                            ),
                        ],
                    )
                ]
            ),
            framed("volunteer"),
        ),
        "volunteer-month": Sample(
            "volunteer/month.html",
            activity_month({22: 5, 23: 12, 24: 9, 25: 2, 27: 3, 28: 4, 30: 118}),
            framed("volunteer"),
        ),
        "volunteer-month-empty": Sample(
            "volunteer/month.html", activity_month({}), framed("volunteer")
        ),
        "volunteer-activities-empty": Sample(
            "volunteer/activities.html", activities([]), framed("volunteer")
        ),
        "volunteer-activity": Sample(
            "volunteer/activity.html",
            joining.ActivityPage(
                title=park,
                organization=team,
                field=_("service_field.environment"),
                place=place,
                forgotten=_("forgotten.end_of_shift"),
                risks=[_("risk.dangerous"), _("risk.outside_province")],
                needs=[
                    joining.Need(
                        title=_(f"requirement.{each}"),
                        is_met=each == "age",
                        how="" if each == "age" else _(f"requirement.{each}.how"),
                    )
                    for each in ("age", "agreement", "insurance", "training")
                ],
                agreement_url="#",
                description=[
                    words(
                        "沿海滨公园的步道捡拾垃圾,按可回收、有害、其他分类。工具由我们准备,请穿防滑鞋。",
                        "We collect litter along the shore path and sort it. Tools are provided; please wear firm shoes.",
                    )
                ],
                shifts=[
                    shift_line("open"),
                    shift_line(
                        "signed_up",
                        day=words("明天", "tomorrow"),
                        note=words(
                            "开始前两小时都可以取消", "can be withdrawn until two hours before"
                        ),
                    ),
                    shift_line("full", filled_percent=100, places=words("20 / 20 人", "20 of 20")),
                    shift_line("arrived"),
                    shift_line("ended"),
                    shift_line("cancelled", note=words("因大风取消", "cancelled: high wind")),
                ],
                activities_url="#",
                error=words("这一场刚刚满了。", "This shift has just filled up."),
                way_out=words("看看明天的一场,还有 6 个名额。", "Tomorrow's still has 6 places."),
            ),
            framed("volunteer"),
        ),
        "verify": Sample(
            "public/verify.html",
            verify.VerifyPage(
                entry="",
                verdict=words(
                    "第 3,700,412 条在账本里，没有被撤销",
                    "Entry 3,700,412 is in the ledger and stands",
                ),
                hint=words(
                    "凭据上的每一个字都和账本一致。",
                    "Every word of the proof agrees with the ledger.",
                ),
                is_proven=True,
                lights=[
                    verify.Light(
                        state="proven",
                        title=words("签发机构", "Issuer"),
                        text=words(
                            "由 time.example.org/330424 的密钥签名",
                            "Signed by the key of time.example.org/330424",
                        ),
                    ),
                    verify.Light(
                        state="proven",
                        title=words("在账本中", "In the ledger"),
                        text=words(
                            "11月22日 周五 14:00 记入，签过名的前 3,700,500 条里有它",
                            "Recorded Fri 22 Nov 14:00; among the first 3,700,500 entries, which are signed",
                        ),
                    ),
                    verify.Light(
                        state="proven",
                        title=words("未撤销", "Not taken back"),
                        text=words("没有哪一条把它冲正", "No entry took it back"),
                    ),
                ],
                facts=[
                    (words("时长", "Duration"), time(180)),
                    (words("志愿者编号", "Volunteer number"), "330424000000017"),
                ],
                code="",
                head=words(
                    "前 3,700,500 条已签名，今天 14:01",
                    "the first 3,700,500 entries are signed, today 14:01",
                ),
                root="8f" * 32,
                keys=[
                    "time.example.org/330424+8f0e2d3c+AcnXgCPpPz1hH2sQxqT0l3bWq0YJk7c9mWcR0m1b2c3d"
                ],
                log_url="#",
                verifier_url="#",
            ),
            framed(""),
        ),
        "volunteer-records": Sample(
            "volunteer/records.html",
            records_page(
                [
                    records.RecordMonth(
                        label=words("2024年11月", "Nov 2024"),
                        total=time(475),
                        records=[
                            record(park, "scanned", 180),
                            record(meals, "confirmed", 200, entry="12,001"),
                            record(
                                words("图书馆整理图书", "Shelving at the library"),
                                "declared",
                                95,
                                entry="11,870",
                                correction=words(
                                    "11月18日更正:原记 2 小时", "corrected on 18 Nov: was 2 h"
                                ),
                            ),
                        ],
                    ),
                    records.RecordMonth(
                        label=words("2024年10月", "Oct 2024"),
                        total=time(180),
                        records=[record(park, "scanned", 180, entry="9,001")],
                    ),
                ]
            ),
            framed("volunteer"),
        ),
        "volunteer-records-empty": Sample(
            "volunteer/records.html", records_page([]), framed("volunteer")
        ),
        "volunteer-honours": Sample(
            "volunteer/honours.html",
            courtesies,
            framed("volunteer", notice=words("已报名", "You are signed up")),
        ),
        "volunteer-honours-empty": Sample(
            "volunteer/honours.html",
            honours.HonoursPage(as_of="", held=[], next_rule=None, other_rules=[]),
            framed("volunteer"),
        ),
        "organizer-day": Sample(
            "organizer/day.html",
            organizer_day(
                [
                    day_shift(
                        meals,
                        "08:30",
                        "11:30",
                        "ended",
                        start_percent=18,
                        width_percent=21,
                        left=10,
                        exceptions=words("2 人没有签退", "2 without departure"),
                    ),
                    day_shift(
                        park,
                        "14:00",
                        "17:00",
                        "running",
                        start_percent=57,
                        width_percent=21,
                        code_url="#",
                    ),
                    day_shift(
                        words("夜间巡防", "Evening patrol"),
                        "18:30",
                        "20:00",
                        "upcoming",
                        start_percent=89,
                        width_percent=11,
                        arrived=0,
                        code_url="#",
                    ),
                    day_shift(
                        words("文明交通劝导", "Traffic stewards"),
                        "07:00",
                        "08:30",
                        "closed",
                        start_percent=7,
                        width_percent=11,
                    ),
                ]
            ),
            framed("organizer"),
        ),
        "organizer-day-empty": Sample("organizer/day.html", organizer_day([]), framed("organizer")),
        "volunteer-helpers": Sample(
            "volunteer/helpers.html",
            consenting.HelpersPage(
                back_url="#",
                lines=[consent_line()],
                acts=[
                    (
                        words("今天 09:12", "today 09:12"),
                        words("示*例 138****0000 · ", "E*e 138****0000 · ") + _("helped.look_up"),
                    )
                ],
                fields=consent_fields("consent.until"),
            ),
            framed("volunteer"),
        ),
        "organizer-consents": Sample(
            "organizer/consents.html",
            consenting.ConsentsPage(
                back_url="#", help_url="#", lines=[consent_line()], fields=consent_fields("")
            ),
            framed("organizer"),
        ),
        "help": Sample(
            "public/help.html", helping.HelpPage(lines=[consent_line()]), framed("volunteer")
        ),
        "help-empty": Sample("public/help.html", helping.HelpPage(lines=[]), framed("volunteer")),
        "helped": Sample(
            "public/helped.html",
            helping.HelpedPage(
                name=words("王*", "W*"),
                number="330424000020007",
                back_url="#",
                until=words("2025年6月30日", "30 Jun 2025"),
                hours=time(200),
                life_total=time(2000),
                records=[(park, words("11月20日 周三", "Wed 20 Nov"), time(180))],
                places=[helped_shift(True)],
                offers=[helped_shift(False)],
                can_see=True,
                can_sign_up=True,
                error="",
            ),
            framed("volunteer"),
        ),
        "volunteer-card": Sample(
            "volunteer/card.html",
            cards.CardPage(
                name=words("示*例", "E*e"),
                number="330424000010007",
                issued=words("第 1 张，今天 09:00起有效", "Card 1, good since today 09:00"),
                pdf_url="#",
                action_url="#",
                back_url="#",
            ),
            framed("volunteer"),
        ),
        "organizer-cards": Sample(
            "organizer/cards.html",
            cards.CardsPage(
                activity=park,
                shift_url="#",
                action_url="#",
                revoke_url="#",
                people=[
                    cards.CardPerson(
                        key="330424-1",
                        name=words("示*例", "E*e"),
                        number="330424000010007",
                        issued=words("第 1 张，今天 09:00起有效", "Card 1, good since today 09:00"),
                    ),
                    cards.CardPerson(
                        key="330424-2", name=words("王*", "W*"), number="330424000020007", issued=""
                    ),
                ],
                cards_max=100,
                error="",
            ),
            framed("organizer"),
        ),
        "organizer-offline": Sample(
            "organizer/offline.html",
            offline.OfflinePage(
                kits_url="/api/offline/kits",
                readings_url="/api/offline/readings",
                sign_in_url="#",
                worker_url="/organizer/offline/worker.js",
                manifest_url="/organizer/offline/manifest.webmanifest",
                scope="/organizer/offline",
                day_url="#",
            ),
            framed("organizer"),
        ),
        "scan-kept": Sample("scan/kept.html", offline.KeptCodePage(), framed("")),
        "organizer-uploads": Sample(
            "organizer/uploads.html",
            offline.UploadsPage(
                activity=park,
                time=today,
                shift_url="#",
                lines=[
                    offline.UploadLine(
                        name=words("示*例", "E*e"),
                        time="14:03",
                        direction="arrive",
                        state="conflict",
                        code="personal_code.revoked",
                        outcome=_("personal_code.revoked"),
                        flag="",
                        received=words("今天 18:20", "today 18:20"),
                    ),
                    offline.UploadLine(
                        name=words("王*", "W*"),
                        time="14:01",
                        direction="leave",
                        state="recorded",
                        code="",
                        outcome=_("upload.left"),
                        flag="",
                        received=words("今天 18:20", "today 18:20"),
                    ),
                ],
                recorded=1,
                conflicts=1,
                settle_url="#",
            ),
            framed("organizer"),
        ),
        "organizer-paper": Sample("organizer/paper.html", paper_page(None), framed("organizer")),
        "organizer-paper-preview": Sample(
            "organizer/paper.html", paper_page(paper_preview), framed("organizer")
        ),
        "organizer-activity-new": Sample(
            "organizer/activity_new.html",
            publishing.ActivityNewPage(
                action_url="#",
                cancel_url="#",
                title=Field(value="", error=_("form.title_missing")),
                service_fields=fields,
                service_field_error="",
                towns=village_groups,
                village_error="",
                place=Field(value=place),
                in_charge=Field(),
                description=Field(),
                forgotten=[
                    Choice(value=each, label=_(f"forgotten.{each}"), is_selected=each == "zero")
                    for each in ("zero", "end_of_shift", "review")
                ],
                risks=[
                    Choice(
                        value=f"risk_{each}", label=_(f"risk.{each}"), is_selected=each == "rescue"
                    )
                    for each in ("dangerous", "foreign", "over_a_month", "rescue")
                ],
            ),
            framed("organizer"),
        ),
        "organizer-activity": Sample(
            "organizer/activity.html",
            publishing.ActivityPage(
                title=park,
                service_field=_("service_field.environment"),
                place=place,
                description=[words("沿步道捡拾垃圾。", "We collect litter.")],
                shifts=[
                    publishing.ActivityShiftLine(
                        day=words("今天", "today"),
                        time="14:00–17:00",
                        state="running",
                        signed_up=14,
                        places=20,
                        url="#",
                    )
                ],
                form=publishing.ShiftForm(
                    action_url="#",
                    day=Field(value="2024-11-23"),
                    starts=Field(value="14:00"),
                    ends=Field(value="13:00", error=_("form.ends_before_start")),
                    places=Field(value="20"),
                    repeats=[Choice(value="weekly", label=_("repeat.weekly"))],
                    times=Field(value="8"),
                ),
                day_url="#",
            ),
            framed("organizer"),
        ),
        "organizer-shift": Sample("organizer/shift.html", shift_page("ended"), framed("organizer")),
        "organizer-shift-running": Sample(
            "organizer/shift.html", shift_page("running"), framed("organizer")
        ),
        "organizer-shift-closed": Sample(
            "organizer/shift.html", shift_page("closed"), framed("organizer")
        ),
        "organizer-code-closed": Sample(
            "organizer/code.html",
            replace(
                on_wall("leave"),
                code=replace(
                    on_wall("leave").code,
                    picture=None,
                    closed=words("这一场已经结束,不再签到。", "This shift is over."),
                ),
            ),
            framed("organizer"),
        ),
        "district-course": Sample("district/course.html", a_course, framed("officer")),
        "district-groups": Sample("district/groups.html", by_field, framed("officer")),
        "district-compare": Sample("district/compare.html", versus, framed("officer")),
        "district-publications": Sample("district/publications.html", press, framed("officer")),
        "district-publication-again": Sample(
            "district/publication_again.html", again, framed("officer")
        ),
        "public-publication": Sample("public/publication.html", gazette, framed("")),
        "public-publications": Sample("public/publications.html", gazettes, framed("")),
        "public-publications-none": Sample(
            "public/publications.html", replace(gazettes, cards=[]), framed("")
        ),
        "district-overview": Sample("district/overview.html", overview, framed("officer")),
        "district-overview-unknown": Sample(
            "district/overview.html",
            replace(
                overview,
                rate="",
                rate_percent="",
                residents="",
                tiles=[],
                trend="",
                sample=_(
                    "样本：区划和人口是真的，志愿者和服务是虚构的，约为实际规模的百分之一，数字因此小。"
                ),
            ),
            framed("officer"),
        ),
        "district-overview-empty": Sample(
            "district/overview.html", replace(overview, is_empty=True), framed("officer")
        ),
        "district-policies": Sample("district/policies.html", rules, framed("officer")),
        "district-policies-empty": Sample(
            "district/policies.html", replace(rules, packs=[]), framed("officer")
        ),
        "district-policy": Sample("district/policy.html", policy, framed("officer")),
    }
    for status in (400, 401, 403, 404, 409, 413, 429, 500):
        found[f"public-error-{status}"] = Sample(
            "public/error.html",
            public.ErrorPage(
                status=status,
                title=_(f"error.{status}"),
                hint=_(f"error.{status}.hint"),
                action_label=_("去登录") if status == 401 else _("回到首页"),
                action_url="/sign-in" if status == 401 else "/",
                code=f"error.{status}",
            ),
            framed(""),
        )
    for name, parts in (
        session_samples(language, framed)
        | program_samples(language, framed)
        | benefit_samples(language, framed)
        | selection_samples(language, framed)
        | rule_samples(language, framed)
        | door_samples(language, framed)
    ).items():
        found[name] = Sample(*parts)
    conduct = {**objection_pages(language, words), **paper_pages(language, words)}
    for name, (template, role, page) in conduct.items():
        found[name] = Sample(template, page, framed(role))
    return found
