"""Telling everybody who holds a place in a shift."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from timebank.domain.actor import Act, OrganizationId
from timebank.domain.shift_message import PER_DAY_MAX, TEXT_LENGTH_MAX
from timebank.http.providers import (
    Kit,
    Kitted,
    Now,
    OwnOrganizations,
    SignedInActor,
    TimebankRequest,
)
from timebank.queries import organizer
from timebank.services import scheduling
from timebank.services.errors import NotFoundError
from timebank.store import shift_messages, waiting
from timebank.web import format as words
from timebank.web.frame import language_of, show, translate_of
from timebank.web.organized_shift import shift_url
from timebank.web.parts import Field
from timebank.web.typed import BookInPath, NumberInPath


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that was sent."""

    text: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftMessagesPage:
    """What `organizer/messages.html` shows.

    Attributes:
        to: Who gets it, as a sentence.
        limit: How much one may send, as a sentence.
    """

    activity: str
    time: str
    to: str
    limit: str
    length_max: int
    text: Field
    sent: Sequence[SentMessage]
    action_url: str
    back_url: str


class MessageForm(msgspec.Struct):
    """What everybody is told."""

    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@get("/organizer/shifts/{book:int}/{shift:int}/messages", rule=Act.RUN_ACTIVITIES)
async def show_messages(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Show what the people of a shift were told, and the form that tells them more."""
    return await _show(request, kit, organizations, book, shift, now=now)


@post("/organizer/shifts/{book:int}/{shift:int}/messages", rule=Act.RUN_ACTIVITIES, status_code=200)
async def create_message(
    request: TimebankRequest,
    book: BookInPath,
    shift: NumberInPath,
    data: URLEncodedBody[MessageForm],
    actor: SignedInActor,
    organizations: OwnOrganizations,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Queue a message for everybody on a shift."""
    _ = translate_of(request)
    outcome = await scheduling.send_message(
        kit.db,
        seal=kit.seal,
        actor=actor,
        shift_book=book,
        shift=shift,
        text=data.text,
        now=now,
    )
    if isinstance(outcome, scheduling.MessageQueued):
        return Redirect(
            f"/organizer/shifts/{book}/{shift}/messages?done=message_sent", status_code=303
        )
    return await _show(
        request,
        kit,
        organizations,
        book,
        shift,
        now=now,
        typed=data.text,
        error=_(outcome.reason.value),
    )


async def _show(
    request: TimebankRequest,
    kit: Kit,
    organizations: Sequence[OrganizationId],
    book: int,
    shift: int,
    *,
    now: datetime,
    typed: str = "",
    error: str = "",
) -> Response[Any]:
    _ = translate_of(request)
    language = language_of(request)
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        sent = await shift_messages.list_messages(conn, book=book, shift=shift)
        queue = await waiting.count_waiting(conn, shift_book=book, shift=shift)
    return show(
        request,
        "organizer/messages.html",
        ShiftMessagesPage(
            activity=found.title,
            time=words.span(found.starts_at, found.ends_at, now=now, language=language),
            to=_(
                "发给报了名的 {count} 人；候补的 {waiting} 人不发。",
                count=found.signed_up,
                waiting=queue,
            ),
            limit=_(
                "最多 {length} 个字，一天最多 {times} 条。",
                length=TEXT_LENGTH_MAX,
                times=PER_DAY_MAX,
            ),
            length_max=TEXT_LENGTH_MAX,
            text=Field(value=typed, error=error),
            sent=[
                SentMessage(
                    text=each.text,
                    detail=_(
                        "{time}，发给 {count} 人",
                        time=words.instant(each.sent_at, now=now, language=language),
                        count=each.people,
                    ),
                )
                for each in sent
            ],
            action_url=f"{shift_url(found)}/messages",
            back_url=shift_url(found),
        ),
        status=422 if error else 200,
    )
