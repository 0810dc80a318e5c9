"""Packs as they were when they decided something: for whoever decides it again."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.policy.pack import read_stored_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status
from timebank.store import packs as pack_store


async def read_packs(conn: AsyncConnection, *, hashes: Sequence[str]) -> list[Pack]:
    """Return the packs of some hashes, in their order, as enacted. Cost: one statement."""
    contents = await pack_store.list_contents(conn, hashes=hashes)
    packs = []
    for each in hashes:
        pack = read_stored_pack(contents[each], status=Status.ENACTED)
        if isinstance(pack, PackRefused):
            raise AssertionError(f"a pack that granted is refused now: {pack.problems}")
        packs.append(pack)
    return packs
