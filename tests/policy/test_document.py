"""What the reader accepts means the same to any TOML reader; it knows lines, and its work is bounded."""

import tomllib
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.policy.samples import seconds_of

from timebank.policy.document import VALUES_MAX, Item, read_document

ROWS = [
    # text                                  line code
    ("a = 1.5",                             1, "pack.float"),
    ("\n\na = [1,\n 2e3]",                  4, "pack.float"),
    ("a = inf",                             1, "pack.float"),
    ("a = nan",                             1, "pack.float"),
    ("a = 07:30:00",                        1, "pack.clock_time"),
    ("a = 2024-01-01T07:30:00Z",            1, "pack.clock_time"),
    ("a = 0x10",                            1, "pack.number_form"),
    ("a = 010",                             1, "pack.number_form"),
    ("a = 10000000000000000",               1, "pack.number_range"),
    ("a = 2024-02-30",                      1, "pack.wrong_value"),
    ("a = 1\nb = 2\na = 3",                 3, "pack.duplicate_key"),
    ("[a]\n[b]\n[a]",                       3, "pack.duplicate_key"),
    ("a = {b = 1}\n[a.c]",                  2, "pack.duplicate_key"),
    ("a = [{b = 1}]\n[[a]]",                2, "pack.duplicate_key"),
    ("a.b = 1\na = 2",                      2, "pack.duplicate_key"),
    ("a = ",                                1, "pack.syntax"),
    ("a = no",                              1, "pack.syntax"),
    ("a = *anchor",                         1, "pack.syntax"),
    ("a: 1",                                1, "pack.syntax"),
    ("a = 1 b = 2",                         1, "pack.syntax"),
    ('a = "x\ny"',                          1, "pack.syntax"),
    ('a = "\\q"',                           1, "pack.syntax"),
    ('a = "\\ud800"',                       1, "pack.syntax"),
    ("a = [1, 2",                           1, "pack.syntax"),
    ("# a\x00b",                            1, "pack.syntax"),
    ("a = [" + "[" * 100 + "]" * 100 + "]", 1, "pack.too_deep"),
    ("a" + ".a" * 100 + " = 1",             1, "pack.too_deep"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "code"), ROWS)
def test_refused(text: str, line: int, code: str) -> None:
    problems = read_document(text.encode(), file="a.toml").problems

    assert [(each.file, each.line, each.code.value) for each in problems] == [
        ("a.toml", line, code)
    ]


def test_single_flaws_are_noted_and_reading_goes_on() -> None:
    found = read_document(b"a = 1.5\nb = 2.5\nc = 3", file="a.toml")

    assert [each.line for each in found.problems] == [1, 2]
    assert found.root is not None
    assert found.root["c"] == Item(3, 3)


def test_text_that_is_not_utf_8_is_refused_with_its_line() -> None:
    (problem,) = read_document(b"a = 1\nb = '\xff'", file="a.toml").problems

    assert (problem.line, problem.code.value) == (2, "pack.not_text")


def test_windows_lines_and_a_byte_order_mark_are_read() -> None:
    found = read_document(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n", file="a.toml")

    assert not found.problems
    assert found.root == {"a": Item(1, 1), "b": Item(2, 2)}


HOSTILE = {
    "deep": b"a = " + b"[" * 500_000,
    "long key": b"a" + b".a" * 400_000 + b" = 1",
    "long text": b'a = "' + b"x" * 1_000_000 + b'"',
    "open text": b'a = "' + b"\\x" * 500_000,
    "open lines": b'a = """' + b'"" ' * 300_000,
    "spaces": b"a" + b" " * 1_000_000 + b"= 1",
    "comments": b"#\n" * 500_000,
    "many values": b"a = [" + b"1," * 500_000 + b"]",
    "many tables": b"[[a]]\n" * 170_000,
    "many keys": b"".join(b"k%d=1\n" % number for number in range(90_000)),
    "many flaws": b"".join(b"k%d=1.5\n" % number for number in range(80_000)),
    "long number": b"a = " + b"9" * 1_000_000,
    "long float": b"a = 1." + b"9" * 1_000_000,
    "alias bomb": b"a: &a [x, x]\nb: &b [*a, *a]\n" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_read_in_a_tenth_of_a_second(name: str) -> None:
    assert seconds_of(lambda: read_document(HOSTILE[name], file="a.toml")) < 0.1


def test_a_file_of_too_many_values_is_refused() -> None:
    found = read_document(HOSTILE["many values"], file="a.toml")
    (problem,) = found.problems

    assert found.root is None
    assert problem.code.value == "pack.too_many"
    assert str(VALUES_MAX) in str(problem)


def plain(item: Item) -> object:
    match item.value:
        case dict():
            return {name: plain(each) for name, each in item.value.items()}
        case list():
            return [plain(each) for each in item.value]
        case _:
            return item.value


WORDS = st.sampled_from([
    "a", "b", "c-1", '"a b"', "'x'", ".", " = ", "=", "1", "-7", "0", "1_000", "true", "false", "2024-02-29",
    '"text"', "'lit'", '"\\u4e2d\\n"', '"""l\n"q" \\\n  x"""', "'''m\n'n'''", "[", "]", "[[", "]]", "{", "}",
    ",", "\n", "\n", "\n", " ", "\t", "# note\n", "[a]\n", "[[b]]\n", "[a.b]\n", "a.b = 1\n", "a = {b = 1}\n",
    "c = [1, 2]\n", "a = 1\n", "b.c.d = 'x'\n", "[b.c]\n", "\r\n", "1.5", "\\", '"',
])  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(WORDS, max_size=14).map("".join))
@example("[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\nb = 3")
@example("a = [\n  1, # one\n  {b.c = 2},\n]\n")
@example('a = """\nx\\\n   y"" z"""')
@example("[a.b]\nc = 1\n[a]\nd = 2")
def test_what_is_accepted_means_the_same_to_the_standard_reader(text: str) -> None:
    found = read_document(text.encode(), file="a.toml")
    if found.root is None or found.problems:
        return

    assert plain(Item(found.root, 1)) == tomllib.loads(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_never_a_crash(data: bytes) -> None:
    found = read_document(data, file="a.toml")

    assert found.root is not None or found.problems


def test_every_value_knows_its_line() -> None:
    root = read_document(
        b"[[rule]]\nid = 'x'\nwhen.all = [\n  { a = 1 },\n  { a = 2024-01-01 },\n]\n", file="a"
    ).root

    assert root is not None
    (rule,) = root["rule"].value  # type: ignore[misc]
    second = rule.value["when"].value["all"].value[1]  # type: ignore[union-attr, index, call-overload]
    assert second.line == 5
    assert second.value["a"] == Item(date(2024, 1, 1), 5)
