"""Consents, policies and courses: what a volunteer has, and where an organizer records them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import Act, OrganizationId, VolunteerId
from timebank.domain.clearance import ConsentKind, PaperworkRefusal, PaperworkRefused, Recorded
from timebank.domain.volunteer_number import format_number, parse_number
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.services import clearing
from timebank.store import clearances, volunteers
from timebank.store import organizations as teams
from timebank.web import format as words
from timebank.web.catalog import Language, Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.parts import Choice, Field
from timebank.web.typed import (
    BookInPath,
    NumberInPath,
    ShortText,
    typed_count,
    typed_day,
)

_SEALED_SHOWN = 4
"""Of a policy's number: enough to tell two policies apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What is recorded of a volunteer.

    Attributes:
        age: In words; never a birthday.
        age_state: `unknown`, `adult` or `minor`.
        consents: Guardians masked, how and when; the newest first.
        has_consent: One of them holds.
        policies: Number's end and days.
        trainings: Course, length, day, who taught.
        training_total: Apart from service; empty for none.
    """

    age: str
    age_state: str
    consents: Sequence[str]
    has_consent: bool
    policies: Sequence[str]
    trainings: Sequence[str]
    training_total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPapersPage:
    """What `volunteer/papers.html` shows."""

    papers: Papers
    action_url: str
    year: Field
    month: Field
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PapersPage:
    """What `organizer/papers.html` shows.

    Attributes:
        number: As it was typed.
        teacher: Whose training is recorded.
        papers: None before a volunteer was found.
        url: Before `/consent`, `/insurance` and `/training`.
        values: What was typed into a refused form, by the name of the field.
        errors: Why it was refused, by the name of the field.
    """

    number: Field
    name: str
    papers: Papers | None
    url: str
    how: Sequence[Choice]
    guardian: Field
    phone: Field
    policy: Field
    from_on: Field
    until_on: Field
    teacher: str
    course: Field
    hours: Field
    trained_on: Field
    error: str = ""


class AgeForm(msgspec.Struct):
    """How old somebody is."""

    adult: ShortText = ""
    year: ShortText = ""
    month: ShortText = ""


class PaperForm(msgspec.Struct):
    """Any of an organizer's three forms."""

    guardian: ShortText = ""
    phone: ShortText = ""
    how: ShortText = ""
    policy: ShortText = ""
    from_on: ShortText = ""
    until_on: ShortText = ""
    course: ShortText = ""
    hours: ShortText = ""
    trained_on: ShortText = ""


@get("/me/papers", rule=Act.SEE_OWN_RECORDS)
async def show_own_papers(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show what is recorded of oneself, and ask how old one is where that is not known."""
    return await _show_own(request, kit, volunteer, form=AgeForm(), now=now)


@post("/me/papers/age", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_age(
    request: TimebankRequest,
    data: URLEncodedBody[AgeForm],
    actor: SignedInActor,
    volunteer: OwnVolunteer,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Say how old one is."""
    outcome = await clearing.declare_age(
        kit.db,
        person=actor.person,
        birth=None if data.adult else (typed_count(data.year), typed_count(data.month)),
        today=words.local_day(now),
        now=now,
    )
    if isinstance(outcome, PaperworkRefused):
        error = translate_of(request)(outcome.reason.value)
        return await _show_own(request, kit, volunteer, form=data, error=error, now=now)
    return Redirect("/me/papers?done=age_said", status_code=303)


@get("/organizer/papers", rule=Act.RUN_ACTIVITIES)
async def show_papers(
    request: TimebankRequest,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
    number: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[Any]:
    """Find a volunteer by number and show what is recorded, with the forms that add to it."""
    typed = "".join(number.split()).replace("-", "")
    found = parse_number(typed)
    volunteer = None if found is None else VolunteerId(*found)
    return await _show_papers(
        request, kit, organizations[0], volunteer, typed=typed, form=PaperForm(), now=now
    )


@post(
    "/organizer/papers/{book:int}/{volunteer_id:int}/consent",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_consent(
    request: TimebankRequest,
    book: BookInPath,
    volunteer_id: NumberInPath,
    data: URLEncodedBody[PaperForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record that a minor's guardian agrees."""
    outcome = await clearing.record_consent(
        kit.db,
        seal=kit.seal,
        actor=actor,
        volunteer=VolunteerId(book, volunteer_id),
        guardian=data.guardian,
        phone=data.phone,
        how=next((each for each in ConsentKind if each.value == data.how), ConsentKind.SIGNED_FORM),
        today=words.local_day(now),
        now=now,
    )
    return await _answer(
        request,
        kit,
        actor.organizations[0],
        VolunteerId(book, volunteer_id),
        outcome,
        data,
        now=now,
    )


@post(
    "/organizer/papers/{book:int}/{volunteer_id:int}/consent/end",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_consent_end(
    book: BookInPath,
    volunteer_id: NumberInPath,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record that a minor's guardian withdrew."""
    volunteer = VolunteerId(book, volunteer_id)
    await clearing.end_consent(kit.db, actor=actor, volunteer=volunteer, now=now)
    return Redirect(f"{_url(volunteer)}&done=paper_recorded", status_code=303)


@post(
    "/organizer/papers/{book:int}/{volunteer_id:int}/insurance",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_insurance(
    request: TimebankRequest,
    book: BookInPath,
    volunteer_id: NumberInPath,
    data: URLEncodedBody[PaperForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record an insurance policy."""
    volunteer = VolunteerId(book, volunteer_id)
    from_on, until_on = typed_day(data.from_on), typed_day(data.until_on)
    outcome: Recorded | PaperworkRefused = PaperworkRefused(PaperworkRefusal.DAYS)
    if from_on is not None and until_on is not None:
        outcome = await clearing.record_policy(
            kit.db,
            seal=kit.seal,
            actor=actor,
            volunteer=volunteer,
            number=data.policy,
            from_on=from_on,
            until_on=until_on,
            now=now,
        )
    return await _answer(request, kit, actor.organizations[0], volunteer, outcome, data, now=now)


@post(
    "/organizer/papers/{book:int}/{volunteer_id:int}/training",
    rule=Act.RUN_ACTIVITIES,
    status_code=200,
)
async def create_training(
    request: TimebankRequest,
    book: BookInPath,
    volunteer_id: NumberInPath,
    data: URLEncodedBody[PaperForm],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record a finished course, apart from service."""
    volunteer = VolunteerId(book, volunteer_id)
    today = words.local_day(now)
    outcome = await clearing.record_training(
        kit.db,
        actor=actor,
        volunteer=volunteer,
        organization=organizations[0],
        course=data.course,
        minutes=typed_count(data.hours) * 60,
        trained_on=typed_day(data.trained_on) or date.max,
        today=today,
        now=now,
    )
    return await _answer(request, kit, actor.organizations[0], volunteer, outcome, data, now=now)


_FIELD_OF = {
    PaperworkRefusal.GUARDIAN_NAME: "guardian",
    PaperworkRefusal.GUARDIAN_PHONE: "phone",
    PaperworkRefusal.NUMBER_LENGTH: "policy",
    PaperworkRefusal.DAYS: "until_on",
    PaperworkRefusal.COURSE_LENGTH: "course",
    PaperworkRefusal.MINUTES: "hours",
    PaperworkRefusal.NOT_YET: "trained_on",
}
"""Beside which field a refusal is shown; the others stand above the forms."""


async def _answer(
    request: TimebankRequest,
    kit: Kit,
    organization: OrganizationId,
    volunteer: VolunteerId,
    outcome: Recorded | PaperworkRefused,
    form: PaperForm,
    *,
    now: datetime,
) -> Response[Any]:
    if isinstance(outcome, PaperworkRefused):
        return await _show_papers(
            request,
            kit,
            organization,
            volunteer,
            typed=format_number(volunteer.book, volunteer.id),
            form=form,
            refusal=outcome.reason,
            now=now,
        )
    return Redirect(f"{_url(volunteer)}&done=paper_recorded", status_code=303)


def _url(volunteer: VolunteerId) -> str:
    return f"/organizer/papers?number={format_number(volunteer.book, volunteer.id)}"


async def _show_own(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId,
    *,
    form: AgeForm,
    now: datetime,
    error: str = "",
) -> Response[Any]:
    async with kit.db.read() as conn:
        papers = await _papers(
            conn, kit, volunteer, now=now, language=language_of(request), _=translate_of(request)
        )
    return show(
        request,
        "volunteer/papers.html",
        OwnPapersPage(
            papers=papers,
            action_url="/me/papers/age",
            year=Field(value=form.year),
            month=Field(value=form.month),
            error=error,
        ),
        status=422 if error else 200,
    )


async def _show_papers(
    request: TimebankRequest,
    kit: Kit,
    organization: OrganizationId,
    volunteer: VolunteerId | None,
    *,
    typed: str,
    form: PaperForm,
    now: datetime,
    refusal: PaperworkRefusal | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    papers: Papers | None = None
    name = ""
    async with kit.db.read() as conn:
        teaching = await teams.find_organization(conn, organization=organization)
    if volunteer is not None:
        async with kit.db.read() as conn:
            found = await volunteers.find_volunteer(conn, volunteer=volunteer)
            if found is not None and found.ended_at is None:
                papers = await _papers(
                    conn, kit, volunteer, now=now, language=language_of(request), _=_
                )
                named = await volunteers.list_named(conn, volunteers=[volunteer])
                sealed = named[volunteer].name_sealed if volunteer in named else None
                name = masked(sealed, kit.seal, volunteer, _)
    errors = {} if refusal is None else {_FIELD_OF.get(refusal, ""): _(refusal.value)}
    today = words.local_day(now)
    not_found = _("没有这个编号的志愿者") if typed and papers is None else ""

    def field(key: str, value: str) -> Field:
        return Field(value=value, error=errors.get(key, ""))

    return show(
        request,
        "organizer/papers.html",
        PapersPage(
            number=Field(value=typed, error=not_found),
            name=name,
            papers=papers,
            url="" if volunteer is None else f"/organizer/papers/{volunteer.book}/{volunteer.id}",
            how=[
                Choice(
                    value=each.value,
                    label=_(f"consent_kind.{each.value}"),
                    is_selected=each.value == form.how,
                )
                for each in ConsentKind
            ],
            guardian=field("guardian", form.guardian),
            phone=field("phone", form.phone),
            policy=field("policy", form.policy),
            from_on=field("from_on", form.from_on or today.isoformat()),
            until_on=field("until_on", form.until_on),
            teacher="" if teaching is None else teaching.name,
            course=field("course", form.course),
            hours=field("hours", form.hours),
            trained_on=field("trained_on", form.trained_on or today.isoformat()),
            error=errors.get("", ""),
        ),
        status=422 if errors else 200,
    )


async def _papers(
    conn: AsyncConnection,
    kit: Kit,
    volunteer: VolunteerId,
    *,
    now: datetime,
    language: Language,
    _: Translate,
) -> Papers:
    today = words.local_day(now)
    found = await volunteers.find_volunteer(conn, volunteer=volunteer)
    person = None if found is None else found.person
    of_age = None if person is None else await clearances.find_of_age_from(conn, person=person)
    state = "unknown" if of_age is None else "minor" if of_age > today else "adult"
    consents = await clearances.list_consents(conn, seal=kit.seal, volunteer=volunteer)
    policies = await clearances.list_policies(conn, seal=kit.seal, volunteer=volunteer)
    trainings = await clearances.list_trainings(conn, volunteer=volunteer)
    trained = sum(each.minutes for each in trainings)
    return Papers(
        age=_(f"age.{state}"),
        age_state=state,
        consents=[
            _(
                "{guardian}，{how}，{day}记入",
                guardian=words.masked_name(each.guardian),
                how=_(f"consent_kind.{each.how.value}"),
                day=words.full_day(words.local_day(each.recorded_at), language=language),
            )
            + ("" if each.ended_at is None else _("（已撤回）"))
            for each in consents
        ],
        has_consent=any(each.ended_at is None for each in consents),
        policies=[
            _(
                "保单尾号 {number}，{first} 到 {last}",
                number=each.number[-_SEALED_SHOWN:],
                first=words.full_day(each.from_on, language=language),
                last=words.full_day(each.until_on, language=language),
            )
            for each in policies
        ],
        trainings=[
            _(
                "{course}，{duration}，{day}，{organization}",
                course=each.course,
                duration=words.duration(each.minutes, language=language),
                day=words.full_day(each.trained_on, language=language),
                organization=each.organization,
            )
            for each in trainings
        ],
        training_total=words.duration(trained, language=language) if trained else "",
    )
