"""Keys change and secrets go, in sight of everybody: what was signed before stays proved."""

import json
from pathlib import Path

import asyncpg
import pytest
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook, open_book
from tests.ledger.test_log import LOG_KEY, NAME, sign

from timebank import verify_log
from timebank.db import Database
from timebank.ledger import log, notices
from timebank.services import log_files, sealing
from timebank.services.sealing import KeyReplacedError, LogKey
from timebank.trust import signer
from timebank.trust.notice import Notice, NoticeKind

NEW_KEY = LogKey(signer.Ed25519Signer(bytes(range(32, 64))), NAME)
OLD, NEW = str(LOG_KEY.of(BOOK)), str(NEW_KEY.of(BOOK))


@pytest.fixture
async def book(db: Database) -> OpenBook:
    book = await open_book(db)
    await book.post_list([book.service(n, volunteer=1 + n % 2) for n in range(300)])
    return book


async def list_notices(book: OpenBook) -> list[Notice]:
    async with book.db.read() as conn:
        return await notices.list_notices(conn, book=BOOK)


async def test_a_new_key_signs_and_all_that_the_old_one_signed_stays_proved(
    book: OpenBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = book.db
    await sign(book)
    old_proof = str(await log_files.prove_entry(db, book=BOOK, seq=7))
    await book.post(book.service("unsigned at the change"))

    assert await sealing.rotate_key(db, old=LOG_KEY, new=NEW_KEY, book=BOOK, now=NINE)
    assert not await sealing.rotate_key(db, old=LOG_KEY, new=NEW_KEY, book=BOOK, now=NINE)
    with pytest.raises(KeyReplacedError):
        await sealing.sign_checkpoint(db, key=LOG_KEY, book=BOOK, now=NINE)
    await book.post(book.service("after"))
    made = await sealing.sign_checkpoint(db, key=NEW_KEY, book=BOOK, now=NINE)

    assert made is not None
    assert made.size == 302
    assert [(each.kind, json.loads(each.body)) for each in await list_notices(book)] == [
        (NoticeKind.KEY, {"replaces": None, "since": 0, "vkey": OLD}),
        (NoticeKind.KEY, {"replaces": OLD, "since": 301, "vkey": NEW}),
    ]
    assert await sealing.find_unsigned(db, key=NEW_KEY, book=BOOK) == []
    assert await sealing.find_unsigned(db, key=LOG_KEY, book=BOOK) == [
        f"{NEW} signs for book {BOOK}, not {OLD}"
    ]

    folder = tmp_path / "log"
    await log_files.export_log(db, book=BOOK, folder=folder, vkey=NEW)
    assert (folder / "vkey").read_text().split() == [NEW, OLD]
    new_proof = str(await log_files.prove_entry(db, book=BOOK, seq=7))
    for proof in (old_proof, new_proof):
        assert verify_log.verify_proof(proof, NEW, OLD).seq == 7
    with pytest.raises(verify_log.NotProvenError):
        verify_log.verify_proof(old_proof, NEW)
    # Who trusts the old key learns the new one under its signature.
    head = (folder / "notices" / "checkpoint").read_text()
    for key in (LOG_KEY, NEW_KEY):
        assert verify_log.open_checkpoint(head, str(key.of_notices(BOOK))).size == 2
    assert verify_log.main([str(tmp_path), "--vkey", OLD, "--vkey", NEW]) == 0
    said = capsys.readouterr().out
    assert f"Proven: {NAME}/{BOOK}/notices, 2 notices" in said
    assert "key changed" in said
    assert verify_log.main([str(tmp_path), "--vkey", OLD]) == 1


async def test_an_old_key_signs_nothing_that_came_after_it(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    await sign(book)
    await sealing.rotate_key(book.db, old=LOG_KEY, new=NEW_KEY, book=BOOK, now=NINE)
    await book.post(book.service("after"))
    made = await sealing.sign_checkpoint(book.db, key=NEW_KEY, book=BOOK, now=NINE)
    assert made is not None
    forged = signer.sign_note(LOG_KEY.signer, name=f"{NAME}/{BOOK}", text=str(made))
    await owner.execute("update checkpoint set note = $1 where size = 301", str(forged))

    wrong = await sealing.find_unsigned(book.db, key=NEW_KEY, book=BOOK)
    assert wrong == [f"the checkpoint at 301 of {NAME}/{BOOK} is not signed by its key"]
    await book.post(book.service("more"))
    with pytest.raises(log.LogInconsistentError):
        await sealing.sign_checkpoint(book.db, key=NEW_KEY, book=BOOK, now=NINE)


async def test_an_erasure_is_made_known_without_saying_whose(book: OpenBook) -> None:
    await sign(book)
    await sealing.erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE)
    await sealing.erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE)
    reported: dict[int, str] = {}
    await sealing.sign_grown(book.db, key=LOG_KEY, now=NINE, reported=reported)

    assert [each.body for each in await list_notices(book)][1:] == ['{"entries":300,"secrets":1}']
    async with book.db.read() as conn:
        signed = await notices.find_newest_checkpoint(conn, book=BOOK)
        assert await log.list_grown_books(conn) == []
    assert signed is not None
    assert signed.size == 2


async def test_notices_that_were_changed_are_never_signed_again(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    await sign(book)
    await sealing.erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE)
    await sign(book)
    await owner.execute("update notice set body = replace(body, '300', '200') where number = 2")
    assert await sealing.find_unsigned(book.db, key=LOG_KEY, book=BOOK) == [
        f"notices 1 to 2 of book {BOOK} are not as signed"
    ]
    await sealing.erase_volunteer(book.db, book=BOOK, volunteer=2, now=NINE)
    with pytest.raises(log.LogInconsistentError):
        await sign(book)
    await owner.execute("delete from notice where number = 2")
    assert await sealing.find_unsigned(book.db, key=LOG_KEY, book=BOOK) == [
        f"a notice of book {BOOK} is missing"
    ]


async def test_a_publication_gets_a_head_that_covers_all_there_is(book: OpenBook) -> None:
    first = await sealing.sign_head(book.db, key=LOG_KEY, book=BOOK, now=NINE)
    again = await sealing.sign_head(book.db, key=LOG_KEY, book=BOOK, now=NINE)
    await book.post(book.service("more"))
    third = await sealing.sign_head(book.db, key=LOG_KEY, book=BOOK, now=NINE)

    assert first is not None
    assert third is not None
    assert (first.size, again, third.size) == (300, first, 301)
    assert verify_log.open_checkpoint(third.note, OLD).root == third.root
    await open_book(book.db, book=330402)
    assert await sealing.sign_head(book.db, key=LOG_KEY, book=330402, now=NINE) is None


async def test_a_head_for_a_publication_is_refused_where_history_was_changed(
    book: OpenBook, owner: asyncpg.Connection
) -> None:
    await sign(book)
    await owner.execute("update batch set commitments = set_byte(commitments, 32 * 299, 7)")
    with pytest.raises(log.LogInconsistentError):
        await sealing.sign_head(book.db, key=LOG_KEY, book=BOOK, now=NINE)
