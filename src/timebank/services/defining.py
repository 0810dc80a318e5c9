"""Deciding what a rate means in a division: dated, with what decided it, and kept for ever."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from timebank.db import Database
from timebank.domain.definition import Definition, DefinitionRefused, decide_definition
from timebank.domain.scope import Scope
from timebank.store import audit_events, definitions, numbering


async def decide_definitions(
    db: Database,
    *,
    scope: Scope,
    asked: Sequence[Definition],
    today: date,
    person: UUID | None,
    now: datetime,
) -> Sequence[Definition] | DefinitionRefused:
    """Keep definitions of a division, all or, where one is refused, none; return them.

    What is decided holds in the division and in all below it; nothing that was told before changes.
    """
    async with db.write() as conn:
        # Two who decide at once are one after the other.
        await numbering.take_numbers(conn, book=0, noun="definition", count=0)
        known = list(await definitions.list_definitions_of(conn, region=scope.region))
        for each in asked:
            decided = decide_definition(each, region=scope.region, known=known, today=today)
            if isinstance(decided, DefinitionRefused):
                return decided
            known.append(decided)
        if asked:
            await definitions.insert_definitions(
                conn, region=scope.region, definitions=asked, person=person, now=now
            )
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=person,
                act="decide_definition",
                subjects=[f"definition/{each.id}/{each.valid_from}" for each in asked],
            )
    return asked
