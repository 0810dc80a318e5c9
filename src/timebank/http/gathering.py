"""Where concurrent requests queue for one statement: what arrives meanwhile is the next list.

No timer, no added latency when idle: a lone item is a list of one. A busy hour costs less per item
than a quiet one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Answer = Callable[[Result | None, Exception | None], None]
"""Is told a result, or what failed the work on its list; one of the two is None."""

_log = logging.getLogger("timebank")


class CrowdedError(Exception):
    """More wait than can be answered soon; nothing was done."""


class Gathering(Generic[Item, Result]):
    """Collects the items of one process and works on them together, one list at a time.

    Args:
        work: Returns one result per item, in their order.
        list_max: Longest list worked on at once: bounds how long the first of it waits.
        waiting_max: How many may queue: beyond it a caller is told to come again.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        list_max: int,
        waiting_max: int,
    ) -> None:
        self._work = work
        self._list_max = list_max
        self._waiting_max = waiting_max
        self._waiting: list[tuple[Item, Answer[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    def hand_in(self, item: Item, answer: Answer[Result]) -> None:
        """Queue an item; `answer` is told its result, and must not raise.

        A busy door hands in thousands each second: a call costs a tenth of a future and its turn.

        Raises:
            CrowdedError: Too many wait already; `answer` is told nothing.
        """
        if len(self._waiting) >= self._waiting_max:
            raise CrowdedError
        self._waiting.append((item, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work_off())

    def put(self, item: Item) -> asyncio.Future[Result]:
        """Queue an item and return its result to come.

        Whatever fails the work on its list is raised to everyone who waits for that list.

        Raises:
            CrowdedError: Too many wait already.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def answer(result: Result | None, error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]
            else:
                future.set_exception(error)

        self.hand_in(item, answer)
        return future

    async def _work_off(self) -> None:
        while self._waiting:
            batch = self._waiting[: self._list_max]
            del self._waiting[: self._list_max]
            results: Sequence[Result | None]
            failure: Exception | None = None
            try:
                results = await self._work([item for item, _ in batch])
            except Exception as error:
                results, failure = [None] * len(batch), error
            for (_, answer), result in zip(batch, results, strict=True):
                try:
                    answer(result, failure)
                except Exception:
                    # The others on the list are not to pay for it.
                    _log.exception("an answer could not be given")
