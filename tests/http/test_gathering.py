"""Concurrent items share the work: none waits for a timer, none is lost, none is done twice."""

import asyncio

import pytest

from timebank.http.gathering import CrowdedError, Gathering


class Work:
    """Remembers the lists that it was given, and takes a moment for each."""

    def __init__(self) -> None:
        self.lists: list[list[int]] = []
        self.failing = 0

    async def __call__(self, items: list[int]) -> list[int]:
        self.lists.append(items)
        await asyncio.sleep(0)
        if self.failing in items:
            raise ValueError("a list that fails")
        return [10 * item for item in items]


async def test_what_arrives_during_the_work_is_the_next_list() -> None:
    work = Work()
    gathering = Gathering(work, list_max=3, waiting_max=100)
    first = gathering.put(1)
    await asyncio.sleep(0)

    others = [gathering.put(item) for item in range(2, 7)]

    assert await asyncio.gather(first, *others) == [10, 20, 30, 40, 50, 60]
    assert work.lists == [[1], [2, 3, 4], [5, 6]]


async def test_a_later_item_is_worked_on_after_a_pause() -> None:
    gathering = Gathering(Work(), list_max=3, waiting_max=100)

    assert await gathering.put(1) == 10
    assert await gathering.put(2) == 20


async def test_a_failure_reaches_everyone_on_its_list_and_nobody_else() -> None:
    work = Work()
    work.failing = 2
    gathering = Gathering(work, list_max=2, waiting_max=100)

    results = await asyncio.gather(
        *(gathering.put(item) for item in (1, 2, 3)), return_exceptions=True
    )

    assert [type(result) for result in results] == [ValueError, ValueError, int]


async def test_one_who_left_does_not_disturb_the_others() -> None:
    gathering = Gathering(Work(), list_max=3, waiting_max=100)
    gone, stayed = gathering.put(1), gathering.put(2)

    gone.cancel()

    assert await stayed == 20


async def test_a_crowd_is_told_to_come_again() -> None:
    gathering = Gathering(Work(), list_max=3, waiting_max=2)
    waiting = [gathering.put(1), gathering.put(2)]

    with pytest.raises(CrowdedError):
        gathering.put(3)

    assert await asyncio.gather(*waiting) == [10, 20]
