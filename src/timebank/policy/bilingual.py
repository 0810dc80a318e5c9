"""Public words in both languages, as a pack's author wrote them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in Chinese and in English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text in `en`, or in Chinese for any other language."""
        return self.en if language == "en" else self.zh
