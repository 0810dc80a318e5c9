"""Notes, checkpoints and proof files are those of their standards, to the byte."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofbundle.tlogproof import verify_tlog_proof
from tests.trust.test_merkle import GROWN, numbered

from timebank.trust import checkpoint, note, signer, tlog_proof

# Source: the tests of golang.org/x/mod/sumdb/note, and the example of C2SP signed-note.
NEUMANN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
NEUMANN = signer.Ed25519Signer(NEUMANN_SEED)


@pytest.mark.parametrize("key", [NEUMANN_KEY, EXAMPLE_KEY])
def test_published_keys_are_read_and_written(key: str) -> None:
    assert str(note.read_verifier_key(key)) == key


@pytest.mark.parametrize(
    ("text", "key"), [(NEUMANN_NOTE, NEUMANN_KEY), (EXAMPLE_NOTE, EXAMPLE_KEY)]
)
def test_published_notes_are_opened(text: str, key: str) -> None:
    assert signer.open_note(text, note.read_verifier_key(key)) == text.partition("\n\n")[0] + "\n"
    assert str(note.read_note(text)) == text


def test_the_published_note_is_signed_again() -> None:
    text = NEUMANN_NOTE.partition("\n\n")[0] + "\n"
    assert str(signer.sign_note(NEUMANN, name="PeterNeumann", text=text)) == NEUMANN_NOTE
    assert str(signer.verifier_key(NEUMANN, name="PeterNeumann")) == NEUMANN_KEY


@given(st.integers(0, 8 * len(EXAMPLE_NOTE.encode()) - 1))
def test_one_flipped_bit_of_a_note_is_refused(bit: int) -> None:
    raw = bytearray(EXAMPLE_NOTE.encode())
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises((note.NoteMalformedError, signer.SignatureMissingError, UnicodeDecodeError)):
        signer.open_note(raw.decode(), note.read_verifier_key(EXAMPLE_KEY))


def test_signatures_of_others_are_left_alone() -> None:
    lines = EXAMPLE_NOTE.split("\n")
    both = "\n".join([*lines[:2], NEUMANN_NOTE.split("\n")[3], *lines[2:]])
    assert signer.open_note(both, note.read_verifier_key(EXAMPLE_KEY)) == lines[0] + "\n"
    with pytest.raises(signer.SignatureMissingError):
        signer.open_note(both, note.read_verifier_key(NEUMANN_KEY))


def test_another_name_with_the_same_key_is_another_key() -> None:
    renamed = str(signer.verifier_key(NEUMANN, name="PeterNeumann2"))
    with pytest.raises(signer.SignatureMissingError):
        signer.open_note(NEUMANN_NOTE, note.read_verifier_key(renamed))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "PeterNeumann",
        NEUMANN_KEY.replace("c74f20a3", "c74f20a4"),
        NEUMANN_KEY.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN_KEY + "=",
        "PeterNeumann+c74f20a3+",
    ],
)
def test_a_wrong_key_is_refused(key: str) -> None:
    with pytest.raises(note.NoteMalformedError):
        note.read_verifier_key(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        EXAMPLE_NOTE.rstrip("\n"),
        EXAMPLE_NOTE.replace("message", "mess\tage"),
        EXAMPLE_NOTE.replace("— ", "- "),
        "text\n\n" + EXAMPLE_NOTE.split("\n")[2] + "\n" + "— x AAAAAA==\n",
        "text\n\n" + (EXAMPLE_NOTE.split("\n")[2] + "\n") * 101,
        "x" * 1_000_001 + EXAMPLE_NOTE,
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(note.NoteMalformedError):
        note.read_note(text)


def test_a_text_that_looks_like_signatures_is_not_signed() -> None:
    with pytest.raises(note.NoteMalformedError):
        signer.sign_note(NEUMANN, name="PeterNeumann", text="no line break")


def test_a_checkpoint_is_three_lines() -> None:
    # Source: the example of C2SP tlog-checkpoint.
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    read = checkpoint.read_checkpoint(text)
    assert (read.origin, read.size, len(read.root)) == ("example.com/behind-the-sofa", 20852163, 32)
    assert str(read) == text
    assert checkpoint.read_checkpoint(text + "an extension\n") == read


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        f"\n1\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n1\u0661\n{ROOT}\n",
        f"origin\n{10**19}\n{ROOT}\n",
        f"origin\n1\n{ROOT}",
        f"origin\n1\n{ROOT}\n\nmore\n",
        "origin\n1\nAAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(note.NoteMalformedError):
        checkpoint.read_checkpoint(text)


ORIGIN = "log.example/330424"
KEY = signer.verifier_key(NEUMANN, name=ORIGIN)


def made_proof(index: int, size: int) -> tlog_proof.TlogProof:
    head = checkpoint.Checkpoint(ORIGIN, size, GROWN.root(size))
    signed = signer.sign_note(NEUMANN, name=ORIGIN, text=str(head))
    hashes = tuple(GROWN.inclusion(index, size))
    return tlog_proof.TlogProof(index, hashes, str(signed), extra=b"row and salt")


@given(st.integers(1, 700), st.data())
def test_a_proof_file_is_accepted_by_another_verifier(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = made_proof(index, size)
    leaf = numbered(index + 1)[index]

    assert tlog_proof.read_proof(str(proof)) == proof
    verdict = verify_tlog_proof(str(proof), leaf, str(KEY), expected_origin=ORIGIN)
    assert verdict["ok"]
    assert not verify_tlog_proof(str(proof), leaf + b"!", str(KEY))["ok"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 1\nnote",
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(note.NoteMalformedError):
        tlog_proof.read_proof(text)


def test_a_published_proof_is_read() -> None:
    # Source: the tests of transparency-dev's formats, proof without and with extra data.
    plain = "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"
    assert tlog_proof.read_proof(plain) == tlog_proof.TlogProof(0, (), "checkpoint\n")
    assert str(tlog_proof.read_proof(plain)) == plain


def test_a_key_is_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        signer.Ed25519Signer(b"short")
    with pytest.raises(note.NoteMalformedError):
        signer.open_note(EXAMPLE_NOTE, note.VerifierKey("example.com/foo", 6, bytes(32)))
