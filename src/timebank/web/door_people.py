"""The live list at the door: who is here, who is awaited, whom to look for."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import msgspec

from timebank.domain.actor import OrganizationId
from timebank.domain.volunteer_number import format_number
from timebank.http.providers import Kit, TimebankRequest
from timebank.queries import organizer
from timebank.queries.organizer import Attendee, OrganizedShift
from timebank.services.errors import NotFoundError
from timebank.web import format as words
from timebank.web.catalog import Translate
from timebank.web.frame import translate_of
from timebank.web.organized_shift import masked, shift_url, volunteer_key

_REFRESH_MS = 3_000
"""How often the list asks whether somebody came: it is answered with nothing where nobody did."""


_CHECKED_AT_ONCE = 3
"""Names that a spot check proposes: as many as one can look for in a room."""


_CHECK_WINDOW_SECONDS = 600
"""How long the same names are proposed, so that a new page does not offer easier ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPerson:
    """One person of the live list.

    Attributes:
        key: Names the volunteer in a form.
        is_seen: An organizer saw them there.
    """

    key: str
    name: str
    number: str
    state: Literal["here", "expected", "left"]
    arrived_at: str
    left_at: str
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFragment:
    """What `organizer/_people.html` shows: who is here now.

    Attributes:
        version: Changes with what is shown; sent along to ask whether anything did.
        to_check: Masked names to look for in the room.
        base_url: Where the buttons of the list post.
        can_undo: The shift is not closed.
    """

    version: str
    refresh_ms: int
    here: int
    arrived: int
    signed_up: int
    people: Sequence[DoorPerson]
    to_check: Sequence[str]
    base_url: str
    can_undo: bool


async def find_people(
    kit: Kit, organizations: Sequence[OrganizationId], book: int, shift: int
) -> tuple[OrganizedShift, list[Attendee]]:
    """Return a shift and who signed up for it.

    Raises:
        NotFoundError: There is no such shift, or it is another organization's.
    """
    async with kit.db.read() as conn:
        found = await organizer.find_shift(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
        if found is None:
            raise NotFoundError
        people = await organizer.list_attendees(
            conn, organizations=organizations, shift_book=book, shift=shift
        )
    return found, people


def people_fragment(
    request: TimebankRequest,
    kit: Kit,
    found: OrganizedShift,
    people: Sequence[Attendee],
    *,
    now: datetime,
) -> PeopleFragment:
    """Return the live list, with the version by which a page asks whether it changed."""
    _ = translate_of(request)
    shown = [_person(each, kit, _) for each in _in_order(people)]
    fragment = PeopleFragment(
        version="",
        refresh_ms=_REFRESH_MS,
        here=found.present,
        arrived=found.arrived,
        signed_up=found.signed_up,
        people=shown,
        to_check=_to_check(found, people, kit, now=now, _=_),
        base_url=f"{shift_url(found)}/door",
        can_undo=found.closed_at is None,
    )
    digest = hashlib.sha256(msgspec.json.encode(fragment)).hexdigest()
    return replace(fragment, version=digest[:32])


def _in_order(people: Sequence[Attendee]) -> list[Attendee]:
    """Return who is here, newest first; then who is awaited; then who has left."""
    here = [each for each in people if each.is_present]
    awaited = [each for each in people if each.arrived_at is None and each.withdrawn_at is None]
    left = [each for each in people if each.left_at is not None]
    here.sort(key=lambda each: each.arrived_at or each.signed_up_at, reverse=True)
    left.sort(key=lambda each: each.left_at or each.signed_up_at, reverse=True)
    return [*here, *awaited, *left]


def _person(person: Attendee, kit: Kit, _: Translate) -> DoorPerson:
    return DoorPerson(
        key=volunteer_key(person.volunteer),
        name=masked(person.name_sealed, kit.seal, person.volunteer, _),
        number=format_number(person.volunteer.book, person.volunteer.id),
        state="here" if person.is_present else "left" if person.left_at is not None else "expected",
        arrived_at="" if person.arrived_at is None else words.clock(person.arrived_at),
        left_at="" if person.left_at is None else words.clock(person.left_at),
        is_seen=person.confirmed_at is not None,
    )


def _to_check(
    shift: OrganizedShift,
    people: Sequence[Attendee],
    kit: Kit,
    *,
    now: datetime,
    _: Translate,
) -> list[str]:
    """Return whom to look for: nobody can foresee them, and a new page does not change them."""
    window = int(now.timestamp()) // _CHECK_WINDOW_SECONDS
    purpose = f"timebank spot check v1/{shift.shift_book}/{shift.shift}/{window}/"

    def drawn(each: Attendee) -> bytes:
        key = purpose + volunteer_key(each.volunteer)
        return hmac.digest(kit.master_key, key.encode(), "sha256")

    unseen = [each for each in people if each.is_present and each.confirmed_at is None]
    return [
        masked(each.name_sealed, kit.seal, each.volunteer, _)
        for each in sorted(unseen, key=drawn)[:_CHECKED_AT_ONCE]
    ]
