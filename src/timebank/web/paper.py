"""Paper at the door: the list that people sign, and the page where it is entered afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from timebank.domain.actor import Act, OrganizationId, VolunteerId
from timebank.domain.paper_list import (
    LINES_MAX,
    PaperLine,
    PaperRefusal,
    WrittenLine,
    parse_line,
    parse_time,
)
from timebank.domain.phone import parse_phone
from timebank.domain.second_person import ApprovalRefused
from timebank.domain.volunteer_number import format_number, parse_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.queries.organizer import Attendee, OrganizedShift
from timebank.services import paper_list
from timebank.services.errors import NotFoundError
from timebank.services.paper_list import DecidedLine, PaperHeld
from timebank.store import paper_lines, people, volunteers
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked, parse_volunteer, shift_url, volunteer_key
from timebank.web.parts import Field
from timebank.web.printing import code_svg, show_pdf
from timebank.web.typed import BookInPath, NumberInPath, local_instant

_BLANK_LINES_MIN = 8
"""Lines for whoever comes without a place, and enough to fill a first page."""

_FIRST_PAGE_LINES = 22
_NUMBER_DIGITS_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPerson:
    """Somebody who signed up and has no record yet.

    Attributes:
        key: Posted as part of the fields' names: `came.<key>`, `arrived.<key>`, `left.<key>`.
        arrived: `HH:MM`; empty means from the start.
        left: `HH:MM`; empty means to the end.
    """

    key: str
    name: str
    number: str
    is_ticked: bool
    arrived: str
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLine:
    """What would become of one line.

    Attributes:
        label: Whom it names: a masked name with number, or what was typed.
        duration: What is credited; empty where nothing is.
        error: Why nothing is; empty where something is.
    """

    label: str
    times: str
    duration: str
    code: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A list before it is entered."""

    lines: Sequence[PreviewLine]
    credited: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPage:
    """What `organizer/paper.html` shows.

    Attributes:
        sheet_url: The list to print.
        cards_url: Where cards are printed.
        closed: Why nothing can be entered; empty when it can.
        starts, ends: Of the shift, `HH:MM`: what counts where the paper tells no time.
        others: What was typed for people who had not signed up.
        typed: Name and value of every field, kept hidden while the preview is shown.
        entered: Who was entered from paper before: name, times, by whom and when.
    """

    activity: str
    time: str
    place: str
    shift_url: str
    sheet_url: str
    cards_url: str
    action_url: str
    closed: str
    starts: str
    ends: str
    expected: Sequence[ExpectedPerson]
    others: Field
    lines_max: int
    preview: Preview | None
    typed: Sequence[tuple[str, str]]
    entered: Sequence[tuple[str, str, str]]
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Typed:
    """A line as the form sends it; `line` is None where it cannot be read."""

    text: str
    volunteer: VolunteerId | None
    line: WrittenLine | None


@get("/organizer/shifts/{book:int}/{shift:int}/sheet.pdf", rule=Act.RUN_ACTIVITIES)
async def show_sheet(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    blank: Annotated[int, QueryParameter(ge=0, le=200)] = 0,
) -> Response[bytes]:
    """Return the list that people sign at the door; printing it is written down, it holds names."""
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found, attendees = await _find(conn, organizations, book, shift)
        activity = await organizer.find_activity(
            conn, organizations=organizations, book=book, activity=found.activity, now=now
        )
    await paper_list.note_printed(kit.db, actor=actor, shift_book=book, shift=shift, now=now)
    listed = [each for each in attendees if each.withdrawn_at is None]
    day = words.local_day(found.starts_at)
    data = {
        "language": language,
        "activity": found.title,
        "organization": found.organization,
        "facts": [
            (_("组织"), found.organization),
            (
                _("时间"),
                " ".join(
                    (
                        words.full_day(day, language=language),
                        words.weekday(day, language=language),
                        words.times(found.starts_at, found.ends_at),
                    )
                ),
            ),
            (_("地点"), words.address(found.town, found.address)),
            (_("负责人"), "" if activity is None else activity.in_charge),
        ],
        "code": code_svg(f"{kit.url}{_paper_url(found)}"),
        "people": [
            (
                _("志愿者") if each.name_sealed is None else kit.seal.open(each.name_sealed),
                f"…{format_number(each.volunteer.book, each.volunteer.id)[-_NUMBER_DIGITS_SHOWN:]}",
            )
            for each in listed
        ],
        "blank": blank or max(_BLANK_LINES_MIN, _FIRST_PAGE_LINES - len(listed)),
        "footer": _("{time} 打印 · 场次 {shift}", time=_stamp(now), shift=f"{book}-{shift}"),
        "words": {
            "title": _("志愿服务签到表"),
            "code": _("扫码录入本表"),
            "columns": [
                _("序"),
                _("姓名"),
                _("编号或手机号"),
                _("到达"),
                _("签名"),
                _("离开"),
                _("签名"),
            ],
            "note": _(
                "到时、离时各签一次名。没有报名的人写在空行，并写上志愿者编号或手机号。"
                "凭本表补录的时间记为“补录”。录入后请妥善保管，不作他用。"
            ),
            "signatures": [_("负责人签字"), _("录入人签字"), _("日期")],
        },
    }
    name = _("签到表 {day} {activity}", day=day.isoformat(), activity=found.title)
    return await show_pdf("sheet", data=data, file_name=f"{name}.pdf", at=now)


@get("/organizer/shifts/{book:int}/{shift:int}/paper", rule=Act.RUN_ACTIVITIES)
async def show_paper(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show where a signed list is entered, with the list to print."""
    return await _show_paper(request, kit, organizations, book, shift, form={}, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/paper", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_paper_list(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show what would become of a list, or enter it."""
    posted = await request.form()
    form = {name: str(value) for name, value in posted.items()}
    step = form.pop("step", "preview")
    _ = translate_of(request)
    async with kit.db.read() as conn:
        found, _attendees = await _find(conn, organizations, book, shift)
        typed = _typed_lines(form)
        named = await _list_named(conn, kit, typed)
    if step == "edit" or not typed or len(typed) > LINES_MAX:
        error = (
            ""
            if step == "edit"
            else _("还没有勾选或填写任何人")
            if not typed
            else _("一次最多录入 {count} 行，请分几次", count=LINES_MAX)
        )
        return await _show_paper(
            request,
            kit,
            organizations,
            book,
            shift,
            form=form,
            error=error,
            now=now,
            status=422 if error else 200,
        )
    entered = await paper_list.enter_paper_list(
        kit.db,
        actor=actor,
        shift_book=book,
        shift=shift,
        lines=[_paper_line(found, each, named) for each in typed],
        is_preview=step != "confirm",
        now=now,
    )
    if isinstance(entered, PaperHeld):
        return Redirect(f"{shift_url(found)}?done=held", status_code=303)
    if isinstance(entered, ApprovalRefused):
        raise AssertionError("an approval was refused where none was given")
    if entered.is_entered and entered.credited == len(entered.lines):
        return Redirect(f"{shift_url(found)}?done=paper_entered", status_code=303)
    if entered.is_entered and entered.credited:
        # What stands is in the book; the page now shows the rest, to be put right.
        form = _left_over(form, entered.lines)
    return await _show_paper(
        request, kit, organizations, book, shift, form=form, decided=entered.lines, now=now
    )


async def _find(
    conn: Any, organizations: Sequence[OrganizationId], book: int, shift: int
) -> tuple[OrganizedShift, list[Attendee]]:
    found = await organizer.find_shift(
        conn, organizations=organizations, shift_book=book, shift=shift
    )
    if found is None:
        raise NotFoundError
    attendees = await organizer.list_attendees(
        conn, organizations=organizations, shift_book=book, shift=shift
    )
    return found, attendees


async def _show_paper(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    form: Mapping[str, str],
    now: datetime,
    decided: Sequence[DecidedLine] | None = None,
    error: str = "",
    status: int = 200,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found, attendees = await _find(conn, organizations, book, shift)
        entered = await paper_lines.list_lines(conn, shift_book=book, shift=shift)
        enterers = {
            person: await people.find_person(conn, seal=kit.seal, person=person)
            for person in {each.entered_by for each in entered.values()}
        }
        names = await volunteers.list_named(
            conn, volunteers=[each.line.volunteer for each in decided or () if each.line.volunteer]
        )
    is_shown = decided is not None and any(each.refusal is None for each in decided)

    def name_of(volunteer: VolunteerId) -> str:
        named = names.get(volunteer)
        sealed = None if named is None else named.name_sealed
        return masked(sealed, kit.seal, volunteer, _)

    def entered_by(person: Any) -> str:
        who = enterers.get(person)
        return words.masked_name(who.name) if who is not None and who.name else _("组织者")

    return show(
        request,
        "organizer/paper.html",
        PaperPage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            place=found.address,
            shift_url=shift_url(found),
            sheet_url=f"{shift_url(found)}/sheet.pdf",
            cards_url=f"{shift_url(found)}/cards",
            action_url=_paper_url(found),
            closed=_closed_words(found, now=now, _=_),
            starts=words.clock(found.starts_at),
            ends=words.clock(found.ends_at),
            expected=[
                ExpectedPerson(
                    key=volunteer_key(each.volunteer),
                    name=masked(each.name_sealed, kit.seal, each.volunteer, _),
                    number=format_number(each.volunteer.book, each.volunteer.id),
                    is_ticked=form.get(f"came.{volunteer_key(each.volunteer)}") == "yes",
                    arrived=form.get(
                        f"arrived.{volunteer_key(each.volunteer)}", words.clock(found.starts_at)
                    ),
                    left=form.get(
                        f"left.{volunteer_key(each.volunteer)}", words.clock(found.ends_at)
                    ),
                )
                for each in attendees
                if each.withdrawn_at is None and each.arrived_at is None
            ][:LINES_MAX],
            others=Field(value=form.get("others", "")),
            lines_max=LINES_MAX,
            preview=None
            if decided is None
            else Preview(
                lines=[
                    PreviewLine(
                        label=each.line.text
                        if each.line.volunteer is None
                        else name_of(each.line.volunteer),
                        times=""
                        if each.line.arrived_at is None or each.line.left_at is None
                        else words.times(each.line.arrived_at, each.line.left_at),
                        duration=words.duration(each.minutes, language=language)
                        if each.refusal is None
                        else "",
                        code="" if each.refusal is None else each.refusal.value,
                        error="" if each.refusal is None else _(each.refusal.value),
                    )
                    for each in decided
                ],
                credited=sum(each.refusal is None for each in decided),
                refused=sum(each.refusal is not None for each in decided),
            ),
            typed=[(name, value) for name, value in form.items() if name != "_csrf_token"]
            if decided is not None
            else [],
            entered=[
                (
                    masked(each.name_sealed, kit.seal, each.volunteer, _),
                    ""
                    if each.arrived_at is None or each.left_at is None
                    else words.times(each.arrived_at, each.left_at),
                    _(
                        "{name} 录入，{time}",
                        name=entered_by(entered[each.volunteer].entered_by),
                        time=words.instant(
                            entered[each.volunteer].entered_at, now=now, language=language
                        ),
                    ),
                )
                for each in attendees
                if each.volunteer in entered
            ],
            error=error
            or (_("没有一行可以记入，请看每行的原因") if decided and not is_shown else ""),
        ),
        status=status,
    )


def _typed_lines(form: Mapping[str, str]) -> list[_Typed]:
    """Return the lines of a form: who is ticked, then what was typed line by line."""
    lines = []
    for name, value in form.items():
        volunteer = parse_volunteer(name.removeprefix("came."))
        if not name.startswith("came.") or value != "yes" or volunteer is None:
            continue
        key = volunteer_key(volunteer)
        number = format_number(volunteer.book, volunteer.id)
        arrived, left = (form.get(f"{each}.{key}", "") for each in ("arrived", "left"))
        ends = parse_time(arrived), parse_time(left)
        is_read = (ends[0] or not arrived) and (ends[1] or not left)
        lines.append(_Typed(number, volunteer, WrittenLine(number, *ends) if is_read else None))
    others = form.get("others", "").splitlines()
    lines.extend(
        _Typed(text.strip()[:100], None, parse_line(text)) for text in others if text.strip()
    )
    return lines


async def _list_named(conn: Any, kit: Kit, lines: Sequence[_Typed]) -> dict[str, VolunteerId]:
    """Return whom the typed numbers and phone numbers name."""
    texts = {each.line.named for each in lines if each.line is not None and each.volunteer is None}
    phones = {text: phone for text in texts if (phone := parse_phone(text)) is not None}
    persons = await people.list_by_phone(conn, seal=kit.seal, phones=list(phones.values()))
    of_person = await volunteers.list_by_person(conn, persons=list(persons.values()))
    found: dict[str, VolunteerId] = {}
    for text in texts:
        if (number := parse_number(text)) is not None:
            found[text] = VolunteerId(*number)
        elif text in phones and phones[text] in persons:
            volunteer = of_person.get(persons[phones[text]])
            if volunteer is not None:
                found[text] = volunteer
    return found


def _paper_line(
    shift: OrganizedShift, typed: _Typed, named: Mapping[str, VolunteerId]
) -> PaperLine:
    if typed.line is None:
        return PaperLine(typed.text, typed.volunteer, None, None)
    return PaperLine(
        typed.text,
        typed.volunteer or named.get(typed.line.named),
        shift.starts_at if typed.line.arrived is None else _within(shift, typed.line.arrived),
        shift.ends_at if typed.line.left is None else _within(shift, typed.line.left),
    )


def _within(shift: OrganizedShift, clock: time) -> datetime:
    """Return the instant that a time of day on the sheet means: past midnight is the next day."""
    first = words.local_day(shift.starts_at)
    at = local_instant(first, clock)
    is_next_day = words.local_day(shift.ends_at) > first and at < shift.starts_at
    return local_instant(first + timedelta(days=1), clock) if is_next_day else at


def _left_over(form: Mapping[str, str], lines: Sequence[DecidedLine]) -> dict[str, str]:
    """Return the form without the lines that were entered."""
    done = {each.line.volunteer for each in lines if each.refusal is None}
    texts = [
        each.line.text
        for each in lines
        if each.refusal is not None and f"came.{_key(each)}" not in form
    ]
    kept = {
        name: value
        for name, value in form.items()
        if parse_volunteer(name.partition(".")[2]) not in done
    }
    return {**kept, "others": "\n".join(texts)}


def _key(decided: DecidedLine) -> str:
    return "" if decided.line.volunteer is None else volunteer_key(decided.line.volunteer)


def _closed_words(shift: OrganizedShift, *, now: datetime, _: Translate) -> str:
    if shift.cancelled_at is not None:
        return _(PaperRefusal.SHIFT_CANCELLED.value)
    if shift.closed_at is not None:
        return _(PaperRefusal.SHIFT_CLOSED.value)
    if now < shift.starts_at:
        return _("活动开始以后才能录入；签到表可以先打印")
    return ""


def _paper_url(shift: OrganizedShift) -> str:
    return f"{shift_url(shift)}/paper"


def _stamp(at: datetime) -> str:
    return f"{words.local_day(at).isoformat()} {words.clock(at)}"
