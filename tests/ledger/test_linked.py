"""Linked transfers post together or not at all, and leave no trace where they do not."""

import asyncio

import asyncpg
import pytest
from tests.ledger.book import OpenBook, key, rows, spend

from timebank.domain.posting import (
    AlreadyPosted,
    Posted,
    PostingRefusal,
    PostingRefused,
    reversal_of,
)
from timebank.domain.transfer import Transfer

FAILED = PostingRefused(PostingRefusal.LINKED_FAILED)
EXCEEDS = PostingRefused(PostingRefusal.EXCEEDS_BOUND)
NOTHING = PostingRefused(PostingRefusal.AMOUNT_OUT_OF_RANGE)


def given(book: OpenBook, name: object, amount: int = 10) -> Transfer:
    return spend(name, book.credits_issuing, book.purse, amount)


def spent(book: OpenBook, name: object, amount: int = 10) -> Transfer:
    return spend(name, book.purse, book.credits_issuing, amount)


async def test_a_range_without_fault_posts_whole(book: OpenBook) -> None:
    outcomes = await book.post_list(
        [book.service("a"), given(book, "g"), spent(book, "s")], linked=[range(3)]
    )

    assert outcomes == [Posted(1), Posted(2), Posted(3)]


async def test_one_refusal_undoes_its_range_and_nothing_else(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    outcomes = await book.post_list(
        [
            given(book, "before", 15),
            book.service("a"),
            spent(book, "s", 10),
            spent(book, "too much", 10),
            spent(book, "after", 15),
        ],
        linked=[range(1, 4)],
    )

    # The last one fits only because what its neighbours took was put back.
    assert outcomes == [Posted(1), FAILED, FAILED, EXCEEDS, Posted(2)]
    assert (await book.held(book.purse), await book.held(book.first)) == (0, 0)
    assert await rows(owner, "select account from account_state order by 1") == [
        (book.credits_issuing,),
        (book.purse,),
    ]
    assert await rows(owner, "select count(*) from volunteer_month") == [(0,)]
    assert await book.broken_rules() == []


async def test_a_refusal_at_the_end_reaches_back_to_the_first(book: OpenBook) -> None:
    outcomes = await book.post_list(
        [given(book, "g"), spent(book, "s"), book.service("none", 0)], linked=[range(3)]
    )

    assert outcomes == [FAILED, FAILED, NOTHING]
    assert await book.post() == []


async def test_ranges_beside_each_other_do_not_share_their_fate(book: OpenBook) -> None:
    outcomes = await book.post_list(
        [book.service("a"), book.service("x", 0), book.service("b"), book.service("c")],
        linked=[range(2), range(2, 4)],
    )

    assert outcomes == [FAILED, NOTHING, Posted(1), Posted(2)]


async def test_a_key_of_an_undone_range_is_free_again(book: OpenBook) -> None:
    deed = book.service("a")

    outcomes = await book.post_list([deed, book.service("x", 0), deed], linked=[range(2)])

    assert outcomes == [FAILED, NOTHING, Posted(1)]


async def test_an_entry_that_an_undone_range_took_back_can_be_taken_back(book: OpenBook) -> None:
    await book.post(book.service("a"))
    entry = await book.entry(1)
    backs = [reversal_of(entry, key=key(n)) for n in range(2)]

    outcomes = await book.post_list([backs[0], book.service("x", 0), backs[1]], linked=[range(2)])

    assert outcomes == [FAILED, NOTHING, Posted(2)]


async def test_a_range_sent_again_is_the_same_entries(book: OpenBook) -> None:
    deeds = [book.service("a"), given(book, "g")]
    again = [*deeds, *deeds]

    assert await book.post_list(deeds, linked=[range(2)]) == [Posted(1), Posted(2)]
    assert (
        await book.post_list(again, linked=[range(2), range(2, 4)])
        == [
            AlreadyPosted(1),
            AlreadyPosted(2),
        ]
        * 2
    )


async def test_a_deed_twice_within_a_range_is_one_entry(book: OpenBook) -> None:
    deed = book.service("a")

    assert await book.post_list([deed, deed], linked=[range(2)]) == [Posted(1), AlreadyPosted(1)]
    other = book.service("b")
    assert await book.post_list([other, other, book.service("x", 0)], linked=[range(3)]) == [
        FAILED,
        FAILED,
        NOTHING,
    ]


async def test_a_range_of_which_a_part_was_posted_is_not_made_whole(book: OpenBook) -> None:
    await book.post(book.service("a"))

    outcomes = await book.post_list([book.service("a"), book.service("b")], linked=[range(2)])

    assert outcomes == [AlreadyPosted(1), FAILED]
    assert await book.held(book.first) == 60


@pytest.mark.parametrize(
    "linked",
    [[range(3)], [range(2), range(1, 2)], [range(1, 2), range(1)], [range(0, 2, 2)], [range(1, 0)]],
)
async def test_ranges_that_do_not_fit_the_list_are_a_defect(
    book: OpenBook, linked: list[range]
) -> None:
    with pytest.raises(ValueError, match="linked"):
        await book.post_list([book.service("a"), book.service("b")], linked=linked)


async def test_ten_writers_of_linked_pairs_leave_whole_pairs(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    """Each pair gives one credit to one purse and spends ten from it: it fits or leaves nothing."""
    await book.post(given(book, "start", 50))

    answers = await asyncio.gather(
        *(
            book.post_list([given(book, ("g", n), 1), spent(book, ("s", n))], linked=[range(2)])
            for n in range(10)
        )
    )

    posted = [answer for answer in answers if isinstance(answer[0], Posted)]
    assert len(posted) == 5
    assert all(answer == [FAILED, EXCEEDS] for answer in answers if answer not in posted)
    assert await book.held(book.purse) == 5
    assert await owner.fetchval("select count(*) from transfer") == 11
    assert await book.broken_rules() == []
