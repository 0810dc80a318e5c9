"""What becomes of text that people type before it is measured, stored and shown to others."""

import unicodedata

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories that print nothing or change how others print: control, direction, surrogates."""


def cleaned_line(text: str) -> str:
    """Return one line: spaces collapsed, what prints nothing left out, ends trimmed."""
    spaced = "".join(" " if each.isspace() else each for each in unicodedata.normalize("NFC", text))
    kept = (each for each in spaced if unicodedata.category(each) not in _DROPPED)
    return " ".join("".join(kept).split())


def cleaned_paragraphs(text: str) -> str:
    """Return the lines of a text, each cleaned, without empty ones at the ends."""
    lines = (cleaned_line(line) for line in text.splitlines())
    return "\n".join(lines).strip()
