"""What a process remembers of the accounts of a book, so that it need not ask the server again.

Whoever posts knows afterwards what the states of the accounts are; they hold until somebody else
posts. The tree's edge tells whether somebody did: it is a hash over every entry, so that two heads
with one edge are one history, also where a commit failed after its batch was remembered. Secrets
may be erased without an entry; the head counts that.

A book has one order of batches, and who remembers holds its lock: nothing here needs one.
"""

from collections.abc import Mapping
from typing import NamedTuple

from timebank.db import Connection, kept_of

ACCOUNTS_MAX = 200_000
"""How many accounts of a book are remembered, some 350 bytes each; then the memory starts again."""


class RememberedAccount(NamedTuple):
    """An account, its sums, and what opens its commitments.

    Attributes:
        is_listing: Its states hold the places of its entries.
        secret: None where it has none yet.
    """

    unit: int
    debits: int
    credits: int
    is_debit_bounded: bool
    is_credit_bounded: bool
    is_listing: bool
    secret: bytes | None


class Memory:
    """Accounts of one book as of one head.

    Attributes:
        accounts: By number. Only what a batch touched is here: what was read for a batch that
            was never committed may not be there.
    """

    __slots__ = ("_edge", "_erasures", "_seq", "accounts")

    def __init__(self, *, seq: int, edge: bytes, erasures: int) -> None:
        self.accounts: dict[int, RememberedAccount] = {}
        self._seq, self._edge, self._erasures = seq, edge, erasures

    def is_of(self, *, seq: int, edge: bytes, erasures: int) -> bool:
        """Say whether it was made of this head."""
        return edge == self._edge and seq == self._seq and erasures == self._erasures

    def take(
        self, left: Mapping[int, RememberedAccount], *, seq: int, edge: bytes, erasures: int
    ) -> None:
        """Remember accounts as the batch left them that made this head of the one before."""
        if len(self.accounts) > ACCOUNTS_MAX:
            self.accounts.clear()
        self.accounts.update(left)
        self._seq, self._edge, self._erasures = seq, edge, erasures


def memory_of(conn: Connection, *, book: int, seq: int, edge: bytes, erasures: int) -> Memory:
    """Return what this process remembers of a book whose lock is held and whose head this is."""
    memories = kept_of(conn).setdefault("accounts", {})
    if not isinstance(memories, dict):
        raise TypeError("something else is kept there")
    memory: Memory | None = memories.get(book)
    if memory is None or not memory.is_of(seq=seq, edge=edge, erasures=erasures):
        memory = memories[book] = Memory(seq=seq, edge=edge, erasures=erasures)
    return memory
