"""The office's page of programs: which ones read its numbers, and with what they may be told to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from timebank.domain import region as divisions
from timebank.domain.access_token import ACTS, TokenRefusal, TokenRefused
from timebank.domain.actor import Act, Actor
from timebank.http.providers import Kit, Kitted, Now, SignedInActor, TimebankRequest
from timebank.services import access_tokens as giving
from timebank.services.errors import NotFoundError
from timebank.store import access_tokens, regions
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.parts import Choice, Field
from timebank.web.typed import ShortText, typed_day

_LIFETIME = timedelta(days=180)
"""What the form offers: half a year is long enough to forget nobody who left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramLine:
    """One program that can read.

    Attributes:
        acts: What it may do, in words.
        time: Since when and until when, in words.
        end_url: Where taking its token back is posted.
    """

    label: str
    region: str
    acts: str
    time: str
    end_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramsPage:
    """What `district/programs.html` shows.

    Attributes:
        secret: The token just made, shown this once; empty otherwise.
        example: A command that tries it.
        acts: What can be permitted; the chosen ones are selected.
        is_none_chosen: The form was refused for naming nothing that the program may do.
    """

    programs: Sequence[ProgramLine]
    secret: str
    example: str
    label: Field
    region_error: str
    regions: Sequence[Choice]
    acts: Sequence[Choice]
    acts_error: str
    last_on: Field
    error: str = ""


class TokenForm(msgspec.Struct):
    """What a program may read."""

    label: ShortText = ""
    region: Annotated[str, msgspec.Meta(max_length=12)] = ""
    see_reports: Annotated[str, msgspec.Meta(max_length=3)] = ""
    pull_entries: Annotated[str, msgspec.Meta(max_length=3)] = ""
    last_on: Annotated[str, msgspec.Meta(max_length=10)] = ""

    @property
    def acts(self) -> frozenset[Act]:
        """What was ticked."""
        return frozenset(act for act in ACTS if getattr(self, act.value) == "yes")


@get("/district/programs", rule=Act.GIVE_TOKENS)
async def show_programs(
    request: TimebankRequest, actor: SignedInActor, kit: Kitted, now: Now
) -> Response[Any]:
    """Show the programs that the reader answers for, and the form for another."""
    last_on = words.local_day(now) + _LIFETIME
    form = TokenForm(see_reports="yes", last_on=last_on.isoformat())
    return await _show(request, kit, actor, form, today=words.local_day(now))


@post("/district/programs", rule=Act.GIVE_TOKENS, status_code=200)
async def create_program(
    request: TimebankRequest,
    actor: SignedInActor,
    data: URLEncodedBody[TokenForm],
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Make a token and show it once."""
    today = words.local_day(now)
    try:
        region = divisions.parse_code(data.region)
    except ValueError:
        region = 0
    outcome = await giving.give_token(
        kit.db,
        actor=actor,
        label=data.label,
        region=region,
        acts=data.acts,
        last_on=typed_day(data.last_on) or date.min,
        now=now,
    )
    if isinstance(outcome, TokenRefused):
        return await _show(request, kit, actor, data, today=today, refused=outcome.reason)
    again = TokenForm(see_reports="yes", last_on=(today + _LIFETIME).isoformat())
    return await _show(request, kit, actor, again, today=today, secret=outcome.secret)


@post("/district/programs/{token:uuid}/end", rule=Act.GIVE_TOKENS)
async def end_program(
    actor: SignedInActor, token: FromPath[UUID], kit: Kitted, now: Now
) -> Redirect:
    """Take a program's token back."""
    await giving.end_token(kit.db, actor=actor, token=token, now=now)
    return Redirect("/district/programs?done=token_ended", status_code=303)


async def _show(
    request: TimebankRequest,
    kit: Kit,
    actor: Actor,
    form: TokenForm,
    *,
    today: date,
    secret: str = "",
    refused: TokenRefusal | None = None,
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    if actor.scope is None:
        raise NotFoundError
    async with kit.db.read() as conn:
        tokens = await access_tokens.list_tokens(conn, person=actor.person, today=today)
        top = await regions.find_region(conn, code=actor.scope.region)
        below = await regions.list_children(conn, code=actor.scope.region)
    seen = [each for each in (top, *below) if each is not None]
    names = {each.code: each.name for each in seen}
    sentence = "" if refused is None else _(refused.value)
    return show(
        request,
        "district/programs.html",
        ProgramsPage(
            programs=[
                ProgramLine(
                    label=each.label,
                    region=names.get(each.region, str(each.region)),
                    acts=_("、").join(_(f"act.{act.value}") for act in ACTS if act in each.acts),
                    time=_(
                        "{since}给的，用到 {until}",
                        since=words.full_day(words.local_day(each.created_at), language=language),
                        until=words.full_day(each.last_on, language=language),
                    ),
                    end_url=f"/district/programs/{each.id}/end",
                )
                for each in tokens
            ],
            secret=secret,
            example=f'curl -H "Authorization: Bearer {secret}" '
            f'"{kit.url}/api/reports/active-rate?year={today.year - 1}"',
            label=Field(
                value=form.label, error=sentence if refused is TokenRefusal.LABEL_LENGTH else ""
            ),
            region_error=sentence if refused is TokenRefusal.REGION_OUTSIDE else "",
            regions=[
                Choice(
                    value=str(each.code),
                    label=each.name,
                    is_selected=form.region == str(each.code),
                )
                for each in seen
            ],
            acts=[
                Choice(value=act.value, label=_(f"act.{act.value}"), is_selected=act in form.acts)
                for act in ACTS
            ],
            acts_error=sentence if refused is TokenRefusal.NO_ACTS else "",
            last_on=Field(
                value=form.last_on, error=sentence if refused is TokenRefusal.LAST_DAY else ""
            ),
            error=sentence if refused is TokenRefusal.TOO_MANY else "",
        ),
        status=200 if refused is None else 422,
    )
