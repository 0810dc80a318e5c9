"""Noting beside a day of a chart what a number does not tell, such as a typhoon or a campaign."""

from datetime import date, datetime
from uuid import UUID

from timebank.db import Database
from timebank.domain.annotation import AnnotationRefusal, decide_annotation
from timebank.domain.region import county_of
from timebank.domain.scope import Scope
from timebank.services.errors import NotFoundError
from timebank.store import annotations, audit_events


async def annotate(
    db: Database,
    *,
    scope: Scope,
    on_day: date | None,
    text: str,
    today: date,
    person: UUID,
    now: datetime,
) -> AnnotationRefusal | None:
    """Keep a note beside a day of the division, or return why not."""
    decided = decide_annotation(on_day=on_day, text=text, today=today)
    if isinstance(decided, AnnotationRefusal):
        return decided
    day, words = decided
    async with db.write() as conn:
        number = await annotations.insert_annotation(
            conn,
            book=county_of(scope.region),
            region=scope.region,
            on_day=day,
            text=words,
            replaces=None,
            person=person,
            now=now,
        )
        await audit_events.insert_audit_events(
            conn, at=now, person=person, act="annotate", subjects=[f"annotation/{number}"]
        )
    return None


async def take_back_annotation(
    db: Database, *, scope: Scope, number: UUID, person: UUID, now: datetime
) -> None:
    """Take a note back; it stays in the store with who took it back and when.

    Raises:
        NotFoundError: There is no such note in the division.
    """
    book = county_of(scope.region)
    async with db.write() as conn:
        found = await annotations.find_annotation(conn, book=book, number=number)
        if found is None or not scope.covers(found.region):
            raise NotFoundError
        await annotations.insert_annotation(
            conn,
            book=book,
            region=found.region,
            on_day=found.on_day,
            text="",
            replaces=number,
            person=person,
            now=now,
        )
        await audit_events.insert_audit_events(
            conn,
            at=now,
            person=person,
            act="take_back_annotation",
            subjects=[f"annotation/{number}"],
        )
