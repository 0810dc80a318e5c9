"""Why each grant was made, and who took an entry back: written beside the entry, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of

_INSERT = """
    insert into decision
        (book_id, seq, volunteer, pack, pack_hash, rule, tier, period, as_of, reasons)
    select $1, * from unnest(
        $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[],
        $9::bigint[], $10::text[]
    )
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """The reasons of one grant.

    Attributes:
        seq: The entry that grants.
        tier: 0 for a rule without tiers.
        as_of: Entries 1 to `as_of` were known.
        reasons: One reason per leaf, JSON.
    """

    seq: int
    volunteer: int
    pack: str
    pack_hash: str
    rule: str
    tier: int
    period: str
    as_of: int
    reasons: str


async def insert_decisions(
    conn: AsyncConnection, *, book: int, decisions: Sequence[Decision]
) -> None:
    """Keep the reasons of grants that were just posted. Cost: one statement."""
    driver = await driver_of(conn)
    await driver.execute(
        _INSERT,
        book,
        [each.seq for each in decisions],
        [each.volunteer for each in decisions],
        [each.pack for each in decisions],
        [each.pack_hash for each in decisions],
        [each.rule for each in decisions],
        [each.tier for each in decisions],
        [each.period for each in decisions],
        [each.as_of for each in decisions],
        [each.reasons for each in decisions],
    )
