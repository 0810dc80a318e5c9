"""Consent that somebody acts for a volunteer: given, recorded from paper, and taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, Actor, VolunteerId
from timebank.domain.helping import (
    CONSENT_DAYS_MAX,
    Consent,
    ConsentForm,
    ConsentRecorded,
    ConsentRefusal,
    HelpScope,
    NewConsent,
)
from timebank.domain.volunteer_number import parse_number
from timebank.http.identity import SIGNED_IN
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    OwnVolunteer,
    SignedInActor,
    TimebankRequest,
)
from timebank.services import helping
from timebank.services.errors import NotFoundError
from timebank.store import consents, people, volunteers
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import masked
from timebank.web.parts import Field
from timebank.web.typed import BookInPath, NumberInPath, ShortText, typed_day

_CONSENT_DAYS = 180
"""What the form suggests: half a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLine:
    """One consent.

    Attributes:
        who: The other side: the helper, or the volunteer, masked.
        may: What it permits, in words.
        state: Until when it stands, or that it does not any more.
        revoke_url: Where it is taken back; empty where it does not stand.
        open_url: Where the helper acts; empty where they cannot.
    """

    who: str
    may: str
    state: str
    stands: bool
    revoke_url: str
    open_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFields:
    """The form in which consent is given, as it was typed."""

    action_url: str
    volunteer: Field
    phone: Field
    until: Field
    until_max: str
    may_sign_up: bool
    may_see_records: bool
    scope_error: str
    form_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpersPage:
    """What `volunteer/helpers.html` shows.

    Attributes:
        acts: What helpers did: when, and what, newest first.
    """

    back_url: str
    lines: Sequence[ConsentLine]
    acts: Sequence[tuple[str, str]]
    fields: ConsentFields


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsPage:
    """What `organizer/consents.html` shows."""

    back_url: str
    help_url: str
    lines: Sequence[ConsentLine]
    fields: ConsentFields


class GivingForm(msgspec.Struct):
    """Consent as a form sends it."""

    volunteer: ShortText = ""
    phone: ShortText = ""
    until: ShortText = ""
    sign_up: Annotated[str, msgspec.Meta(max_length=3)] = ""
    see_records: Annotated[str, msgspec.Meta(max_length=3)] = ""
    signed: Annotated[str, msgspec.Meta(max_length=3)] = ""


@get("/me/helpers", rule=Act.SEE_OWN_RECORDS)
async def show_helpers(
    request: TimebankRequest, volunteer: OwnVolunteer, kit: Kitted, now: Now
) -> Response[Any]:
    """Show who may act for the volunteer, and what they did."""
    return await _show_helpers(request, kit, volunteer, now=now)


@post("/me/helpers", rule=Act.SEE_OWN_RECORDS, status_code=200)
async def create_helper(
    request: TimebankRequest,
    data: URLEncodedBody[GivingForm],
    volunteer: OwnVolunteer,
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Let somebody act for the signed-in volunteer."""
    refusal = await _record(kit, actor, volunteer, data, form=ConsentForm.OWN, now=now)
    if refusal is None:
        return Redirect("/me/helpers?done=consent_given", status_code=303)
    return await _show_helpers(request, kit, volunteer, form=data, refusal=refusal, now=now)


@get("/organizer/consents", rule=Act.RUN_ACTIVITIES)
async def show_consents(
    request: TimebankRequest,
    actor: SignedInActor,
    organizations: OwnOrganizations,  # noqa: ARG001 only who organizes keeps signed papers
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show where consent that was signed on paper is recorded."""
    return await _show_consents(request, kit, actor, now=now)


@post("/organizer/consents", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_consent(
    request: TimebankRequest,
    data: URLEncodedBody[GivingForm],
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Record consent that a volunteer signed on paper."""
    number = parse_number(data.volunteer.strip())
    refusal: ConsentRefusal | None = ConsentRefusal.VOLUNTEER_UNKNOWN
    if number is not None:
        try:
            refusal = await _record(
                kit, actor, VolunteerId(*number), data, form=ConsentForm.SIGNED, now=now
            )
        except NotFoundError:
            refusal = ConsentRefusal.VOLUNTEER_UNKNOWN
    if refusal is None:
        return Redirect("/organizer/consents?done=consent_given", status_code=303)
    return await _show_consents(request, kit, actor, form=data, refusal=refusal, now=now)


@post("/consents/{book:int}/{number:int}/revocation", rule=SIGNED_IN)
async def create_consent_revocation(
    book: BookInPath, number: NumberInPath, actor: SignedInActor, kit: Kitted, now: Now
) -> Redirect:
    """Take consent back: the volunteer, the helper, or who recorded it."""
    await helping.revoke_consent(kit.db, actor=actor, book=book, number=number, now=now)
    is_own = actor.volunteer is not None and actor.volunteer.book == book
    async with kit.db.read() as conn:
        given = (
            await consents.list_of_volunteer(conn, volunteer=actor.volunteer)
            if actor.volunteer is not None and is_own
            else []
        )
    is_own = any(each.number == number for each in given)
    back = "/me/helpers" if is_own else "/help"
    return Redirect(f"{back}?done=consent_revoked", status_code=303)


async def _record(
    kit: Kit,
    actor: Actor,
    volunteer: VolunteerId,
    data: GivingForm,
    *,
    form: ConsentForm,
    now: datetime,
) -> ConsentRefusal | None:
    until = typed_day(data.until)
    ticked = {HelpScope.SIGN_UP: data.sign_up, HelpScope.SEE_RECORDS: data.see_records}
    outcome = await helping.record_consent(
        kit.db,
        seal=kit.seal,
        actor=actor,
        consent=NewConsent(
            volunteer=volunteer,
            scopes=frozenset(scope for scope, tick in ticked.items() if tick == "yes"),
            # A day that cannot be read is refused like one that is over.
            until_on=until or words.local_day(now) - timedelta(days=1),
            form=form,
        ),
        helper_phone=data.phone,
        has_form=form is ConsentForm.OWN or data.signed == "yes",
        now=now,
    )
    return None if isinstance(outcome, ConsentRecorded) else outcome.reason


async def _show_helpers(
    request: TimebankRequest,
    kit: Kit,
    volunteer: VolunteerId,
    *,
    now: datetime,
    form: GivingForm | None = None,
    refusal: ConsentRefusal | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        given = await consents.list_of_volunteer(conn, volunteer=volunteer)
        acts = await consents.list_acts(
            conn, book=volunteer.book, consents=[each.number for each in given]
        )
        helpers = {each.helper: await _helper_name(conn, kit, each.helper, _) for each in given}
    by_number = {each.number: helpers[each.helper] for each in given}
    return show(
        request,
        "volunteer/helpers.html",
        HelpersPage(
            back_url="/me",
            lines=[
                consent_line(
                    each, who=helpers[each.helper], is_helper=False, request=request, now=now
                )
                for each in given
            ],
            acts=[
                (
                    words.instant(each.at, now=now, language=language_of(request)),
                    f"{by_number[each.consent]} · {_(f'helped.{each.act}')}",
                )
                for each in acts
            ],
            fields=_fields(request, "/me/helpers", form, refusal, now=now),
        ),
        status=200 if refusal is None else 422,
    )


async def _show_consents(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    *,
    now: datetime,
    form: GivingForm | None = None,
    refusal: ConsentRefusal | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    async with kit.db.read() as conn:
        given = await consents.list_recorded(conn, by=actor.person)
        named = await volunteers.list_named(conn, volunteers=[each.volunteer for each in given])
        helpers = {each.helper: await _helper_name(conn, kit, each.helper, _) for each in given}
    return show(
        request,
        "organizer/consents.html",
        ConsentsPage(
            back_url="/organizer",
            help_url="/help",
            lines=[
                consent_line(
                    each,
                    who=_(
                        "{helper} 帮 {volunteer}",
                        helper=helpers[each.helper],
                        volunteer=volunteer_name(kit, named, each.volunteer, _),
                    ),
                    is_helper=False,
                    request=request,
                    now=now,
                )
                for each in given
            ],
            fields=_fields(request, "/organizer/consents", form, refusal, now=now),
        ),
        status=200 if refusal is None else 422,
    )


def _fields(
    request: TimebankRequest,
    url: str,
    form: GivingForm | None,
    refusal: ConsentRefusal | None,
    *,
    now: datetime,
) -> ConsentFields:
    _ = translate_of(request)
    today = words.local_day(now)
    typed = form or GivingForm(
        until=(today + timedelta(days=_CONSENT_DAYS)).isoformat(),
        sign_up="yes",
        see_records="yes",
    )

    def error(*reasons: ConsentRefusal) -> str:
        return _(refusal.value) if refusal in reasons and refusal is not None else ""

    return ConsentFields(
        action_url=url,
        volunteer=Field(value=typed.volunteer, error=error(ConsentRefusal.VOLUNTEER_UNKNOWN)),
        phone=Field(
            value=typed.phone,
            error=error(
                ConsentRefusal.PHONE,
                ConsentRefusal.OWN_HELPER,
                ConsentRefusal.RECORDED_BY_HELPER,
            ),
        ),
        until=Field(value=typed.until, error=error(ConsentRefusal.UNTIL)),
        until_max=(today + timedelta(days=CONSENT_DAYS_MAX)).isoformat(),
        may_sign_up=typed.sign_up == "yes",
        may_see_records=typed.see_records == "yes",
        scope_error=error(ConsentRefusal.NO_SCOPE),
        form_error=error(ConsentRefusal.NO_FORM),
    )


def consent_line(
    consent: Consent, *, who: str, is_helper: bool, request: TimebankRequest, now: datetime
) -> ConsentLine:
    """Return one consent in words, as the helper or the other side reads it."""
    _ = translate_of(request)
    language = language_of(request)
    today = words.local_day(now)
    stands = consent.revoked_at is None and today <= consent.until_on
    if consent.revoked_at is not None:
        state = _(
            "{time}收回了", time=words.instant(consent.revoked_at, now=now, language=language)
        )
    else:
        until = words.full_day(consent.until_on, language=language)
        state = _("到 {day} 为止", day=until) if stands else _("{day} 到期了", day=until)
    place = f"{consent.volunteer.book}/{consent.volunteer.id}"
    return ConsentLine(
        who=who,
        may="、".join(_(scope.value) for scope in HelpScope if scope in consent.scopes)
        if language == "zh"
        else ", ".join(_(scope.value) for scope in HelpScope if scope in consent.scopes),
        state=state,
        stands=stands,
        revoke_url=f"/consents/{consent.volunteer.book}/{consent.number}/revocation"
        if stands
        else "",
        open_url=f"/help/{place}" if stands and is_helper else "",
    )


def volunteer_name(
    kit: Kit,
    named: Mapping[VolunteerId, volunteers.Named],
    volunteer: VolunteerId,
    _: Translate,
) -> str:
    """Return a volunteer's masked name, or what stands for it."""
    known = named.get(volunteer)
    return masked(None if known is None else known.name_sealed, kit.seal, volunteer, _)


async def _helper_name(conn: Any, kit: Kit, helper: UUID, _: Translate) -> str:
    """Return the number that was typed, masked: whose it is, if anybody's, is not told."""
    who = await people.find_person(conn, seal=kit.seal, person=helper)
    if who is None or who.phone is None:
        return _("一位帮手")
    return words.masked_phone(who.phone)
