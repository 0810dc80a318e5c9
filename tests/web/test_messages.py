"""Every sentence has both languages, every code has a sentence, and both fill the same braces."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_python
from jinja2.ext import babel_extract

from timebank.domain.metric import METRICS
from timebank.web.catalog import LANGUAGES, Language, has_message, messages, translator

SOURCE = Path(__file__).parents[2] / "src" / "timebank"
CHINESE = re.compile("[\u4e00-\u9fff]")
CODE = re.compile(r"[a-z_]+(\.[a-z0-9_]+)+")


def originals() -> Iterator[tuple[str, str]]:
    """Yield every original with the place that says it."""
    for path in sorted((SOURCE / "web" / "templates").rglob("*.html")):
        with path.open("rb") as stream:
            for line, _, found, _ in babel_extract(stream, ("_",), (), {}):
                if original := first(found):
                    yield original, f"{path.name}:{line}"
    for path in sorted((SOURCE / "web").glob("*.py")):
        with path.open("rb") as stream:
            for line, _, found, _ in extract_python(stream, ("_",), (), {}):
                if original := first(found):
                    yield original, f"{path.name}:{line}"


def first(found: object) -> str | None:
    """Return the original of a call, which stands first when values follow; None when computed."""
    original = found[0] if isinstance(found, tuple | list) else found
    return original if isinstance(original, str) else None


def codes(*families: str) -> set[str]:
    """Return every stable code of some families that the source defines, from its text."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                value = node.value.value
                if isinstance(value, str) and CODE.fullmatch(value):
                    family = value.split(".", maxsplit=1)[0]
                    if family in families:
                        found.add(value)
    return found


def braces(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_sentence_is_translated() -> None:
    english = messages("en")
    missing = sorted({f"{place}: {each}" for each, place in originals() if each not in english})
    assert not missing


def test_every_translation_is_said_somewhere() -> None:
    said = {each for each, _ in originals()}
    everything = "".join(path.read_text() for path in (SOURCE / "web").glob("*.py"))
    unsaid = [
        each
        for each in messages("en")
        if CHINESE.search(each) and each not in said and f'"{each}"' not in everything
    ]
    assert not unsaid


def test_codes_have_a_sentence_in_every_language() -> None:
    wanted = codes(
        "scan",
        "paper",
        "sign_in",
        "enrolment",
        "move",
        "moving",
        "posting",
        "correction",
        "objection",
        "appeal",
        "answer",
        "publication",
        "annotation",
        "role",
        "verify",
        "error",
    )
    assert len(wanted) > 40
    missing = {
        (language, code)
        for code in wanted
        for language in LANGUAGES
        if not has_message(language, code)
    }
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_has_a_name_and_says_what_it_counts(language: Language) -> None:
    missing = {
        code
        for metric in METRICS.values()
        for code in (metric.label, metric.sentence)
        if not has_message(language, code)
    }
    assert not missing


@pytest.mark.parametrize("family", ["scan", "verify", "error"])
def test_what_stops_somebody_also_says_the_way_on(family: str) -> None:
    missing = {
        (language, code)
        for code in codes(family)
        for language in LANGUAGES
        if not has_message(language, f"{code}.hint")
    }
    assert not missing


def test_both_catalogs_hold_the_same_codes() -> None:
    chinese = {each for each in messages("zh") if CODE.fullmatch(each)}
    english = {each for each in messages("en") if CODE.fullmatch(each)}
    assert chinese == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_fill_the_same_braces(language: Language) -> None:
    for original, sentence in messages(language).items():
        if not CODE.fullmatch(original):
            assert braces(original) == braces(sentence), original


def test_english_is_english() -> None:
    chinese = [each for each in messages("en").values() if CHINESE.search(each)]
    assert not chinese


def test_an_original_without_translation_is_said_as_it_stands() -> None:
    assert translator("zh")("还差 {hours}", hours="3 小时") == "还差 3 小时"
    assert translator("en")("{这不是占位符}") == "{这不是占位符}"
