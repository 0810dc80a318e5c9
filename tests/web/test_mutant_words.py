"""Every change that examples are tried with is said in plain words, in both languages."""

import re

import pytest
from tests.policy.test_authoring import PACKS, texts

from timebank.policy.authoring import look_through
from timebank.policy.check import mutants, unseen_outcomes, with_terms
from timebank.web.catalog import LANGUAGES, Language, translator
from timebank.web.mutant_words import mutant_words, node_words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("folder", PACKS, ids=lambda each: each.name)
def test_no_change_is_said_as_a_machine_says_it(folder: object, language: Language) -> None:
    pack = look_through(texts(folder)).pack  # type: ignore[arg-type]
    assert pack is not None
    _ = translator(language)
    for words, _mutant, _touched in mutants(with_terms(pack)):
        said = mutant_words(words, pack, language=language, _=_)
        assert said != words
        assert not re.search(r"became|left out|evidence from|unknown =|/when", said), said


def test_a_condition_that_no_example_tries_is_named() -> None:
    files = {
        name: text for name, text in texts(PACKS[-1]).items() if not name.startswith("scenarios/")
    }
    files["cases.toml"] = files["cases.toml"].split("\n\n[[case]]")[0]
    pack = look_through(files).pack
    assert pack is not None
    unseen = unseen_outcomes(pack)
    assert unseen
    for each in unseen:
        said = node_words(each, pack, language="zh", _=translator("zh"))
        assert "「" in said
        assert "/" not in said
