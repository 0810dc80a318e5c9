"""Every entry is under a signed root, every root grew out of the one before, and what was changed
behind the application's back is never signed."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from proofbundle import merkle as proofbundle
from proofbundle.tlogproof import verify_tlog_proof
from pymerkle import InmemoryTree
from sqlalchemy import text
from tests.factories import BOOK, NINE
from tests.ledger.book import OpenBook, rows, spend

from timebank.db import Database
from timebank.ledger import audit, log
from timebank.services.sealing import (
    LogKey,
    erase_volunteer,
    find_unsigned,
    sign_checkpoint,
    sign_grown,
)
from timebank.trust import checkpoint, leaf, merkle, signer, tile, tlog_proof

NAME = "time.example.org"
ORIGIN = f"{NAME}/{BOOK}"
SIGNER = signer.Ed25519Signer(bytes(range(32)))
KEY = signer.verifier_key(SIGNER, name=ORIGIN)
LOG_KEY = LogKey(SIGNER, NAME)


async def sign(book: OpenBook) -> checkpoint.Checkpoint | None:
    return await sign_checkpoint(book.db, key=LOG_KEY, book=book.id, now=NINE)


async def leaves(book: OpenBook) -> list[bytes]:
    """Every leaf, made anew from rows and secrets."""
    made = []
    async with book.db.read() as conn:
        size = await conn.scalar(text("select seq from book"))
        for seq in range(1, size + 1):
            entry = await log.open_entry(conn, book=book.id, seq=seq)
            assert entry is not None
            assert entry.salt is not None
            row = leaf.decode_row(entry.row)
            made.append(
                leaf.encode_leaf(
                    book=book.id,
                    seq=seq,
                    recorded_at=row.recorded_at,
                    commitment=leaf.commitment(entry.row, salt=entry.salt),
                )
            )
    return made


async def write_history(book: OpenBook, seed: int = 1) -> list[int]:
    """Post batches of all lengths, signing now and then; return the signed sizes."""
    chance, sizes, count = random.Random(seed), [], 0
    for turn in range(24):
        length = chance.choice([1, 1, 1, 2, 7, 100, 254, 256, 300, 520])
        await book.post_list(
            [book.service((turn, n), n + 1, volunteer=1 + n % 2) for n in range(length)],
            now=NINE + timedelta(seconds=turn),
        )
        count += length
        if chance.random() < 0.6:
            made = await sign(book)
            assert made is not None
            assert made.size == count
            sizes.append(count)
    if not sizes or sizes[-1] != count:
        await sign(book)
        sizes.append(count)
    return sizes


async def test_what_is_signed_is_the_tree_that_others_make_of_the_rows(book: OpenBook) -> None:
    sizes = await write_history(book)
    entries = await leaves(book)
    theirs = InmemoryTree(algorithm="sha256")
    for each in entries:
        theirs.append_entry(each)

    async with book.db.read() as conn:
        signed = await log.list_checkpoints(conn, book=BOOK)
        assert [each.size for each in signed] == sizes
        for each in signed:
            note = checkpoint.read_checkpoint(signer.open_note(each.note, KEY))
            assert note == checkpoint.Checkpoint(ORIGIN, each.size, each.root)
            assert each.root == theirs.get_root(each.size)


@pytest.mark.parametrize("seed", [2, 3])
async def test_every_proof_is_accepted_by_another_verifier(book: OpenBook, seed: int) -> None:
    sizes = await write_history(book, seed)
    entries = await leaves(book)
    chance = random.Random(seed)
    async with book.db.read() as conn:
        signed = {each.size: each for each in await log.list_checkpoints(conn, book=BOOK)}
        for _ in range(60):
            size = chance.choice(sizes)
            seq = chance.randint(1, size)
            hashes = await log.prove_inclusion(conn, book=BOOK, seq=seq, size=size)
            proof = tlog_proof.TlogProof(seq - 1, tuple(hashes), signed[size].note)
            verdict = verify_tlog_proof(
                str(proof), entries[seq - 1], str(KEY), expected_origin=ORIGIN
            )
            assert verdict["ok"], (seq, size)
        for old, new in pairwise(sizes):
            hashes = await log.prove_consistency(conn, book=BOOK, old=old, new=new)
            roots = signed[old].root, signed[new].root
            assert proofbundle.verify_consistency(old, new, hashes, *roots)
            assert merkle.is_consistent(
                old=old, new=new, old_root=roots[0], new_root=roots[1], proof=hashes
            )


async def test_full_tiles_are_stored_once_and_begin_where_they_say(
    book: OpenBook, owner: object
) -> None:
    sizes = await write_history(book)
    stored = await rows(owner, "select level, number, batch from tile order by 1, 2")  # type: ignore[arg-type]
    full = [each for each in tile.tiles_of(sizes[-1]) if each.width == tile.WIDTH]
    assert [(level, number) for level, number, _ in stored] == [each[:2] for each in full]
    for _, number, batch in stored:
        ((first, last),) = await rows(
            owner,  # type: ignore[arg-type]
            "select first_seq, last_seq from batch where batch = $1",
            batch,
        )
        assert first <= number * 256 + 1 <= last


async def test_the_edge_is_sealed_in_the_commit_of_its_batch(book: OpenBook) -> None:
    for n in range(5):
        await book.post(book.service(n))
        entries = await leaves(book)
        expected = merkle.root_of(merkle.extend(b"", 0, map(merkle.leaf_hash, entries)))
        async with book.db.read() as conn:
            edge = await conn.scalar(text("select edge from book"))
        assert merkle.root_of(edge) == expected


async def test_nothing_new_is_not_signed_again(book: OpenBook) -> None:
    assert await sign(book) is None
    await book.post(book.service(1))
    assert await sign(book) is not None
    assert await sign(book) is None


async def test_two_processes_do_not_sign_one_book_at_once(book: OpenBook) -> None:
    await book.post(book.service(1))
    async with book.db.write() as conn:
        assert await log.try_lock(conn, book=BOOK)
        assert await sign(book) is None
        await book.post(book.service(2))
    made = await sign(book)
    assert made is not None
    assert made.size == 2


# The book holds three batches: entries 1 to 300 and 301 are signed, entry 302 is not. What was
# changed within a full tile is left to the audit: the signed root is made from the tile's, so that
# what is signed stays consistent whatever became of the rows.
FORKS = [
    # what was done                   | how
    ("a commitment changed",
        "update batch set commitments = set_byte(commitments, 9000, get_byte(commitments, 9000) # 1) where batch = 1"),
    ("an unsigned commitment changed",
        "update batch set commitments = set_byte(commitments, 0, get_byte(commitments, 0) # 128) where batch = 3"),
    ("two commitments exchanged",
        "update batch set commitments = substring(commitments for 8960) || substring(commitments from 8993 for 32) || substring(commitments from 8961 for 32) || substring(commitments from 9025) where batch = 1"),
    ("a batch dated back",
        "update batch set recorded_at = recorded_at - interval '1 microsecond' where batch = 2"),
    ("the newest signed batches replaced",
        "delete from batch where batch > 1; update book set seq = 300, batch = 1, edge = ''"),
    ("the head's edge changed",
        "update book set edge = set_byte(edge, 3, get_byte(edge, 3) # 4)"),
    ("the book emptied",
        "delete from batch; update book set seq = 0, batch = 0, edge = ''"),
    ("the root of a tile changed",
        "update tile set root = set_byte(root, 0, get_byte(root, 0) # 1)"),
    ("a tile removed",
        "delete from tile"),
    ("a checkpoint's root changed",
        "update checkpoint set root = set_byte(root, 31, get_byte(root, 31) # 16)"),
    ("a checkpoint's size changed",
        "update checkpoint set size = size - 1"),
    ("a checkpoint's note changed",
        "update checkpoint set note = replace(note, '301', '300')"),
    ("a checkpoint of another key",
        "update checkpoint set note = replace(note, '— ', '— x')"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "statements"), FORKS, ids=[what for what, _ in FORKS])
async def test_a_changed_history_is_never_signed(
    book: OpenBook, as_owner: Database, what: str, statements: str
) -> None:
    await book.post_list([book.service(n) for n in range(300)])
    await book.post(book.service("signed"))
    assert await sign(book) is not None
    await book.post(book.service("not signed"))
    async with as_owner.write() as conn:
        for statement in statements.split("; "):
            await conn.execute(text(statement))

    reported: dict[int, str] = {}
    with pytest.raises(log.LogInconsistentError):
        await sign(book)
    await sign_grown(book.db, key=LOG_KEY, now=NINE, reported=reported)

    async with book.db.read() as conn:
        assert await conn.scalar(text("select count(*) from checkpoint")) == 1


async def test_a_fork_that_is_whole_in_itself_is_refused(
    book: OpenBook, as_owner: Database
) -> None:
    """The owner of the database takes entries back and posts others in their place."""
    await book.post(book.service(1), book.service(2))
    await sign(book)
    async with as_owner.write() as conn:
        for table in ("transfer", "account_state", "volunteer_month", "batch"):
            await conn.execute(text(f"delete from {table}"))
        await conn.execute(text("update book set seq = 0, batch = 0, edge = ''"))
    await book.post(book.service(1), book.service(3), book.service(4))
    assert await book.broken_rules() == ["audit.tree_differs"]

    with pytest.raises(log.LogInconsistentError, match="not what was signed"):
        await sign(book)


async def test_erasing_a_secret_leaves_everything_else_provable(book: OpenBook) -> None:
    await book.post(*(book.service(n, volunteer=1 + n % 2) for n in range(10)))
    await book.post(spend("given", book.credits_issuing, book.purse, 5))
    before = await sign(book)
    # Volunteer 1 has an account for minutes and one for credits, volunteer 2 one for minutes.
    assert await erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE) == 2
    assert await erase_volunteer(book.db, book=BOOK, volunteer=1, now=NINE) == 0

    async with book.db.read() as conn:
        for seq in range(1, 12):
            entry = await log.open_entry(conn, book=BOOK, seq=seq)
            assert entry is not None
            credit = leaf.decode_row(entry.row).transfer.credit
            assert (entry.salt is None) == (credit in (book.first, book.purse))
    assert await book.broken_rules() == []

    # The account goes on with a new secret; what was erased stays erased.
    await book.post(book.service("later"))
    after = await sign(book)
    assert before is not None
    assert after is not None
    assert (before.size, after.size) == (11, 12)
    assert await book.broken_rules() == []
    async with book.db.read() as conn:
        late = await log.open_entry(conn, book=BOOK, seq=12)
        proof = await log.prove_consistency(conn, book=BOOK, old=11, new=12)
    assert late is not None
    assert late.salt is not None
    assert merkle.is_consistent(
        old=11, new=12, old_root=before.root, new_root=after.root, proof=proof
    )


LEAF, TREE = {"audit.leaf_differs"}, {"audit.tree_differs"}

# The book holds 700 entries in five batches, all signed, and one that is not.
FLIPPED: list[tuple[str, str, set[str]]] = [
    # what was done                  | how                                          | rules broken
    ("a bit of a row's key",
        "update transfer set key = overlay(key::text placing '{bit}' from 3)::uuid where seq = {seq}", LEAF),
    ("a place",
        "update transfer set place = place # 1 where seq = {seq}", LEAF),
    ("a second",
        "update transfer set effective_at = effective_at + interval '1 microsecond' where seq = {seq}", LEAF),
    ("a null for a zero",
        "update transfer set shift = null where seq = {seq}", LEAF),
    ("a secret",
        "update account_secret set secret = set_bit(secret, 200, 1 - get_bit(secret, 200)) where account = 2", LEAF),
    ("a secret removed",
        "delete from account_secret where account = 3", LEAF),
    ("a commitment",
        "update batch set commitments = set_bit(commitments, 77, 1 - get_bit(commitments, 77)) where batch = 2", LEAF | TREE),
    ("a pair of entries",
        "update transfer set amount = case seq when 500 then 301 when 501 then 300 end where seq in (500, 501)", LEAF),
    ("a pair of commitments",
        "update batch set commitments = substring(commitments from 33 for 32) || substring(commitments for 32) || substring(commitments from 65) where batch = 1", LEAF | TREE),
    ("the instant of a batch",
        "update batch set recorded_at = recorded_at + interval '1 microsecond' where batch = 3", TREE),
    ("a tile's root",
        "update tile set root = set_bit(root, 255, 1 - get_bit(root, 255)) where number = 1", TREE),
    ("where a tile begins",
        "update tile set batch = batch + 1 where number = 1", TREE),
    ("a tile removed",
        "delete from tile where number = 0", TREE),
    ("a tile added",
        "insert into tile select book_id, 0, 2, root, batch from tile where number = 1", TREE),
    ("the root of a checkpoint",
        "update checkpoint set root = set_bit(root, 0, 1 - get_bit(root, 0)) where size = 600", TREE),
    ("the size of a checkpoint",
        "update checkpoint set size = 599 where size = 600", TREE),
    ("a checkpoint of what is to come",
        "insert into checkpoint select book_id, 800, root, note, signed_at from checkpoint limit 1", TREE),
    ("the head's edge",
        "update book set edge = set_bit(edge, 9, 1 - get_bit(edge, 9))", TREE),
]  # fmt: skip


async def test_one_changed_bit_anywhere_is_found(book: OpenBook, as_owner: Database) -> None:
    for batch, length in enumerate((100, 300, 200, 50, 50)):
        await book.post_list(
            [book.service((batch, n), n + 1, volunteer=1 + n % 2) for n in range(length)]
        )
        if batch in (2, 4):
            await sign(book)
    await book.post(book.service("not signed"))
    log_rules = LEAF | TREE
    found = {}
    async with as_owner.write() as conn:

        async def broken() -> set[str]:
            return {
                rule
                for rule in log_rules
                if await audit.find_broken(conn, book=BOOK, rule=rule) is not None
            }

        assert await broken() == set()
        for what, statement, _ in FLIPPED:
            savepoint = await conn.begin_nested()
            changed = await conn.execute(text(statement.format(seq=444, bit="0f")))
            assert changed.rowcount > 0, what
            found[what] = await broken()
            await savepoint.rollback()
        assert await broken() == set()

    assert found == {what: expected for what, _, expected in FLIPPED}


@pytest.mark.parametrize("bit", [0, 500, 1200])
async def test_a_changed_note_is_found(book: OpenBook, as_owner: Database, bit: int) -> None:
    await book.post(book.service(1))
    await sign(book)
    assert await find_unsigned(book.db, key=LOG_KEY, book=BOOK) == []
    async with as_owner.write() as conn:
        note = bytearray((await conn.scalar(text("select note from checkpoint"))).encode())
        note[bit // 8] ^= 1
        await conn.execute(text("update checkpoint set note = :note"), {"note": note.decode()})

    (found,) = await find_unsigned(book.db, key=LOG_KEY, book=BOOK)
    assert found.startswith("the checkpoint at 1 of ")
