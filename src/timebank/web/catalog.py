"""The sentences people read: one catalog per language, read once when the product starts.

A sentence is looked up by its Chinese original, which stands in the template; a stable code (a
refusal, a role, a field of service) is looked up by itself and stands in both catalogs. Districts
choose their own words here; code and ledger never see them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, TypeAlias

from babel.messages.pofile import read_po

Language: TypeAlias = Literal["zh", "en"]
"""The languages that have a catalog; Chinese first."""

LANGUAGES: tuple[Language, ...] = ("zh", "en")
"""Every language, in the order of the switch."""

Translate: TypeAlias = Callable[..., str]
"""What templates know as `_`: an original, and by name what its braces stand for."""


@cache
def messages(language: Language) -> Mapping[str, str]:
    """Return every translated sentence of a language by its original.

    Raises:
        ValueError: The catalog is broken: a syntax error or a doubled original.
    """
    source = files("timebank.web") / "messages" / f"{language}.po"
    with source.open("rb") as stream:
        catalog = read_po(stream, locale=language, abort_invalid=True)
    return MappingProxyType(
        {
            message.id: message.string
            for message in catalog
            if isinstance(message.id, str)
            and message.id
            and isinstance(message.string, str)
            and message.string
        }
    )


def translate(language: Language, original: str, /, **values: object) -> str:
    """Return a sentence in a language, its braces filled; the original where nobody translated it.

    Braces are filled only when values are given, so a sentence may speak of braces itself.
    """
    sentence = messages(language).get(original, original)
    return sentence.format(**values) if values else sentence


def translator(language: Language) -> Translate:
    """Return `_` for one language."""

    def _(original: str, /, **values: object) -> str:
        return translate(language, original, **values)

    return _


def has_message(language: Language, code: str) -> bool:
    """Say whether a stable code has a sentence, such as the hint of a refusal."""
    return code in messages(language)
