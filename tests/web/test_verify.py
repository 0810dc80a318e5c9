"""Anybody gets the log as files, and an answer in words whether an entry is in the ledger."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.factories import BOOK, KEY, NINE
from tests.ledger.book import OpenBook, key, open_book
from tests.ledger.test_log import KEY as LOG_VKEY
from tests.ledger.test_log import LOG_KEY, NAME, sign

from timebank import verify_log
from timebank.app import build_kit, create_app
from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.posting import reversal_of
from timebank.domain.volunteer_number import format_number
from timebank.services import log_files, sealing
from timebank.services.errors import ConflictError, NotFoundError
from timebank.services.sealing import LogKey
from timebank.trust import signer, tile

SIZE = 600
VERIFIER = Path(verify_log.__file__).read_bytes()
LOG = f"/log/{BOOK}"


def keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
async def book(db: Database) -> OpenBook:
    book = await open_book(db)
    await book.post_list([book.service(n, 60 + n, volunteer=1 + n % 2) for n in range(SIZE)])
    return book


@pytest.fixture
async def visitor(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    kit = build_kit(
        database_url=database_url,
        master_key=KEY,
        url="http://127.0.0.1",
        book=BOOK,
        is_demo=False,
        now=lambda: NINE,
    )
    transport = httpx.ASGITransport(app=create_app(kit))
    async with httpx.AsyncClient(transport=transport, base_url=kit.url) as found:
        yield found
    await kit.db.close()


async def test_the_served_files_are_the_log_that_strangers_verify(
    book: OpenBook, visitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    assert (await visitor.get(f"{LOG}/checkpoint")).status_code == 404
    assert (await visitor.get("/log/330402/checkpoint")).status_code == 404
    await sign(book)
    await sealing.erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE)
    await sign(book)

    async def download(path: str, to: Path) -> None:
        answer = await visitor.get(f"{LOG}/{path}")
        assert (path, answer.status_code) == (path, 200)
        keep(to, answer.content)

    folder = tmp_path / str(BOOK)
    for log, size in (("", SIZE), ("notices/", 2)):
        await download(f"{log}checkpoint", folder / log / "checkpoint")
        for each in tile.tiles_of(size):
            await download(f"{log}{each.path}", folder / log / each.path)
            if each.level == 0:
                entries = tile.entries_path(each.number, each.width)
                await download(f"{log}{entries}", folder / log / entries)
    assert verify_log.verify_log(folder, str(LOG_VKEY)).size == SIZE
    assert verify_log.verify_log(folder / "notices", str(LOG_KEY.of_notices(BOOK))).size == 2
    assert (await visitor.get(f"{LOG}/vkey")).text == f"{LOG_VKEY}\n"
    assert (await visitor.get("/verify_log.py")).content == VERIFIER

    full = await visitor.get(f"{LOG}/tile/0/001")
    assert full.headers["cache-control"] == "public, max-age=31536000, immutable"
    narrow = await visitor.get(f"{LOG}/tile/0/001.p/7")
    assert narrow.content == full.content[: 7 * 32]
    fresh = await visitor.get(f"{LOG}/checkpoint")
    assert fresh.headers["cache-control"] == "no-cache"
    known = {"if-none-match": f'"x", {fresh.headers["etag"]}'}
    again = await visitor.get(f"{LOG}/checkpoint", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    await book.post(book.service("more"))
    await sign(book)
    assert (await visitor.get(f"{LOG}/checkpoint", headers=known)).status_code == 200

    for path in (
        "0/003", "0/002.p/90", "0/002", "1/000", "0/1", "0/x000/001", "0/001.p/256", "0/001.p/0",
        "9/000", "64/000", "entries/002.p/90", "entries/x", "٠/001", "0/" + "x001/" * 15 + "001",
    ):  # fmt: skip
        assert (path, (await visitor.get(f"{LOG}/tile/{path}")).status_code // 100) == (path, 4)


async def check(visitor: httpx.AsyncClient, proof: str, *, pasted: bool = False) -> str:
    await visitor.get("/verify")
    fields = {"_csrf_token": visitor.cookies["timebank_csrf"]}
    if pasted:
        answer = await visitor.post(
            "/verify",
            data=fields | {"text": proof.replace("\n", "\r\n")},
            files={"file": ("", b"")},
        )
    else:
        answer = await visitor.post(
            "/verify", data=fields, files={"file": ("1.tlog-proof", proof.encode())}
        )
    assert answer.status_code == 200
    return answer.text


async def test_a_clerk_is_told_in_words_whether_an_entry_stands(
    book: OpenBook, visitor: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    async def look(entry: str) -> str:
        answer = await visitor.get("/verify", params={"entry": entry})
        assert answer.status_code == 200
        return answer.text

    assert "核验一份服务凭据" in (await visitor.get("/verify")).text
    assert "verify.no_log" in await look("7")
    await sign(book)
    await book.post(book.service("unsigned"))
    said = await look(" 1,0 ")
    assert "第 10 条在账本里，没有被撤销" in said
    assert said.count("light-proven") == 3
    assert format_number(BOOK, 2) not in said
    assert "verify.not_signed_yet" in await look("601")
    for nothing in ("9999", "0", "x", "9" * 40):
        assert "verify.no_entry" in await look(nothing)

    proof = str(await log_files.prove_entry(book.db, book=BOOK, seq=10))
    for is_pasted in (False, True):
        said = await check(visitor, proof, pasted=is_pasted)
        assert said.count("light-proven") == 3
        assert "凭据上的每一个字都和账本一致。" in said
        assert format_number(BOOK, 2) in said

    lines = proof.split("\n")
    changed = proof.replace(lines[3], lines[4])
    assert "verify.not_included" in await check(visitor, changed)
    for nothing in ("", "x", "\0" * 20_000, proof.partition("\n\n")[0]):
        assert "verify.malformed" in await check(visitor, nothing)
    other = LogKey(signer.Ed25519Signer(bytes(32)), NAME)
    text = proof.partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
    forged = signer.sign_note(other.signer, name=f"{NAME}/{BOOK}", text=text)
    assert "verify.foreign_key" in await check(
        visitor, f"{proof.partition(chr(10) * 2)[0]}\n\n{forged}"
    )

    await book.post(reversal_of(await book.entry(10), key=key("back")))
    said = await check(visitor, proof)
    assert (said.count("light-proven"), said.count("light-waiting")) == (2, 1)
    assert "后来被冲正" in await look("10")
    await owner.execute("update transfer set amount = amount + 1 where seq = 10")
    assert "verify.book_differs" in await check(visitor, proof)
    await owner.execute(
        "update batch set commitments = set_byte(commitments, 300, 7) where batch = 1"
    )
    assert "verify.log_differs" in await look("10")
    # The page forgets: a check without the page's own token is none.
    assert (await visitor.post("/verify", data={"text": proof})).status_code == 403


async def test_a_volunteer_gets_the_proofs_of_own_entries_only(book: OpenBook) -> None:
    own, other = VolunteerId(BOOK, 1), VolunteerId(BOOK, 2)
    with pytest.raises(ConflictError):
        await log_files.prove_own_entry(book.db, volunteer=own, seq=1, key=None, now=NINE)
    proof = await log_files.prove_own_entry(book.db, volunteer=own, seq=1, key=LOG_KEY, now=NINE)
    assert verify_log.verify_proof(str(proof), str(LOG_VKEY)).fields["volunteer"] == 1
    for volunteer, seq in ((other, 1), (own, 2), (own, SIZE + 1)):
        with pytest.raises(NotFoundError):
            await log_files.prove_own_entry(
                book.db, volunteer=volunteer, seq=seq, key=LOG_KEY, now=NINE
            )
