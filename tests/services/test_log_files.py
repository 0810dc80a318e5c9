"""A stranger with the exported folder, or one proof, needs nothing else to find one changed bit."""

import asyncio
import base64
import random
import subprocess
import sys
from pathlib import Path

import pytest
from proofbundle.tlogproof import verify_tlog_proof
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook, open_book
from tests.ledger.test_log import KEY, LOG_KEY, ORIGIN, sign

from timebank import verify_log
from timebank.db import Database
from timebank.services import log_files
from timebank.services.errors import NotFoundError
from timebank.services.sealing import erase_volunteer
from timebank.trust import leaf, merkle, tile
from timebank.trust.tlog_proof import TlogProof, read_proof

SIZE = 600


@pytest.fixture
async def book(db: Database) -> OpenBook:
    book = await open_book(db)
    await book.post_list([book.service(n, n + 1, volunteer=1 + n % 2) for n in range(SIZE - 1)])
    await book.post(book.service("last"))
    return book


async def export(book: OpenBook, folder: Path) -> Path:
    await log_files.export_log(book.db, book=BOOK, folder=folder / str(BOOK), vkey=str(KEY))
    return folder / str(BOOK)


async def test_an_export_is_verified_by_a_program_that_knows_nothing_of_ours(
    book: OpenBook, tmp_path: Path
) -> None:
    await sign(book)
    folder = await export(book, tmp_path)

    # -I: without our package's folder, user site or environment.
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-I", folder / "verify_log.py", tmp_path, "--vkey", str(KEY)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Proven: {ORIGIN}, 600 entries, root ")
    assert "timebank" not in {
        line.split()[1].partition(".")[0]
        for line in (folder / "verify_log.py").read_text().splitlines()
        if line.startswith(("import ", "from "))
    }


async def test_the_files_are_those_of_the_standard(book: OpenBook, tmp_path: Path) -> None:
    await sign(book)
    folder = await export(book, tmp_path)
    found = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.parent != folder and folder / "notices" not in path.parents
    }
    expected = {each.path: each.width * 32 for each in tile.tiles_of(SIZE)}
    expected |= {"tile/entries/000": 256 * 56, "tile/entries/001": 256 * 56}
    assert found == expected | {"tile/entries/002.p/88": 88 * 56}

    # Once more changes nothing, and a longer log keeps what is full.
    await book.post(book.service("more"))
    await sign(book)
    before = (folder / "tile/0/001").stat().st_mtime_ns
    await export(book, tmp_path)
    assert (folder / "tile/0/001").stat().st_mtime_ns == before
    assert verify_log.verify_log(folder, str(KEY)).size == SIZE + 1


async def test_every_flipped_bit_of_an_export_is_found(book: OpenBook, tmp_path: Path) -> None:
    await sign(book)
    folder = await export(book, tmp_path)
    notices = str(LOG_KEY.of_notices(BOOK))

    def verify() -> None:
        verify_log.verify_log(folder, str(KEY))
        verify_log.verify_log(folder / "notices", notices)

    verify()
    chance = random.Random(1)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"]
    files = [path for path in files if path.name != "vkey"]
    assert len(files) == 8 + 3
    for path in files:
        whole = path.read_bytes()
        for _ in range(12):
            bit = chance.randrange(8 * len(whole))
            changed = bytearray(whole)
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)
            with pytest.raises(verify_log.NotProvenError):
                verify()
        path.unlink()
        with pytest.raises(verify_log.NotProvenError):
            verify()
        path.write_bytes(whole)
    verify()


async def test_a_reordered_pair_of_leaves_is_found(book: OpenBook, tmp_path: Path) -> None:
    await sign(book)
    folder = await export(book, tmp_path)
    path = folder / "tile/entries/001"
    whole = path.read_bytes()
    path.write_bytes(whole[56:112] + whole[:56] + whole[112:])
    with pytest.raises(verify_log.NotProvenError, match="another entry"):
        verify_log.verify_log(folder, str(KEY))


async def test_a_proof_tells_the_entry_and_is_accepted_by_two_verifiers(book: OpenBook) -> None:
    await sign(book)
    for seq in (1, 256, 257, 512, 513, SIZE):
        proof = await log_files.prove_entry(book.db, book=BOOK, seq=seq)
        entry = verify_log.verify_proof(str(proof), str(KEY))
        assert (entry.book, entry.seq, entry.recorded_at) == (BOOK, seq, NINE)
        wanted = (await book.entry(seq)).transfer
        assert entry.fields["amount"] == wanted.amount
        assert entry.fields["unit"] == "minutes"
        assert entry.fields["credit"] == wanted.credit
        assert entry.fields["reverses"] is None

        assert proof.extra is not None
        salt, row = proof.extra[:32], proof.extra[32:]
        made = leaf.encode_leaf(
            book=BOOK, seq=seq, recorded_at=NINE, commitment=leaf.commitment(row, salt=salt)
        )
        assert verify_tlog_proof(str(proof), made, str(KEY), expected_origin=ORIGIN)["ok"]


async def test_every_flipped_bit_of_a_proof_is_found(book: OpenBook) -> None:
    await sign(book)
    proof = await log_files.prove_entry(book.db, book=BOOK, seq=300)
    assert proof.extra is not None
    text = str(proof).encode()
    chance = random.Random(2)
    for _ in range(150):
        changed = bytearray(text)
        bit = chance.randrange(8 * len(text))
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((verify_log.NotProvenError, UnicodeDecodeError)):
            verify_log.verify_proof(changed.decode(), str(KEY))
    for bit in range(0, 8 * len(proof.extra), 5):  # Every byte of salt and row.
        opening = bytearray(proof.extra)
        opening[bit // 8] ^= 1 << bit % 8
        other = TlogProof(proof.index, proof.hashes, proof.checkpoint, bytes(opening))
        with pytest.raises(verify_log.NotProvenError):
            verify_log.verify_proof(str(other), str(KEY))


async def test_a_forged_tree_under_a_true_checkpoint_is_refused(book: OpenBook) -> None:
    await sign(book)
    proof = await log_files.prove_entry(book.db, book=BOOK, seq=300)
    for hashes in (proof.hashes[:-1], (*proof.hashes, merkle.EMPTY_ROOT), ()):
        forged = TlogProof(proof.index, hashes, proof.checkpoint, proof.extra)
        with pytest.raises(verify_log.NotProvenError):
            verify_log.verify_proof(str(forged), str(KEY))


async def test_what_is_not_signed_erased_or_absent_is_not_proved(book: OpenBook) -> None:
    with pytest.raises(log_files.NotSignedError):
        await log_files.prove_entry(book.db, book=BOOK, seq=1)
    await sign(book)
    early = await log_files.prove_entry(book.db, book=BOOK, seq=1)
    await erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE)

    with pytest.raises(log_files.EntryErasedError):
        await log_files.prove_entry(book.db, book=BOOK, seq=1)
    with pytest.raises(NotFoundError):
        await log_files.prove_entry(book.db, book=BOOK, seq=SIZE + 1)
    # What was given out before, and what is another's, stands.
    assert verify_log.verify_proof(str(early), str(KEY)).seq == 1
    other = await log_files.prove_entry(book.db, book=BOOK, seq=2)
    assert verify_log.verify_proof(str(other), str(KEY)).seq == 2


async def test_an_export_after_an_erasure_is_whole(book: OpenBook, tmp_path: Path) -> None:
    before = await sign(book)
    await erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE)
    head = verify_log.verify_log(await export(book, tmp_path), str(KEY))
    assert before is not None
    assert (head.size, head.root) == (before.size, before.root)


async def test_the_command_line_says_proven_or_not(
    book: OpenBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await sign(book)
    folder = await export(book, tmp_path / "log")
    assert verify_log.main([str(tmp_path / "log")]) == 0
    assert "compare them with what the office publishes" in capsys.readouterr().out
    file = tmp_path / "300.tlog-proof"
    file.write_text(str(await log_files.prove_entry(book.db, book=BOOK, seq=300)))
    assert verify_log.main(["--proof", str(file), "--vkey", str(KEY)]) == 0
    assert "amount         300" in capsys.readouterr().out

    another = str(LOG_KEY.of(330402))
    assert verify_log.main([str(tmp_path / "log"), "--vkey", another]) == 1
    assert verify_log.main(["--proof", str(file), "--vkey", another]) == 1
    assert verify_log.main([str(tmp_path / "empty")]) == 1
    (folder / "tile/0/000").write_bytes(b"")
    assert verify_log.main([str(tmp_path / "log")]) == 1
    assert "NOT proven" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        verify_log.main([])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\nnote\n",
        "c2sp.org/tlog-proof@v1\nextra AA=A\nindex 0\n\nnote\n",
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(verify_log.NotProvenError):
        verify_log.verify_proof(text, str(KEY))


async def test_the_proof_file_is_read_by_our_own_reader(book: OpenBook) -> None:
    await sign(book)
    proof = await log_files.prove_entry(book.db, book=BOOK, seq=7)
    assert read_proof(str(proof)) == proof
    assert base64.b64encode(proof.extra or b"").decode() in str(proof)
