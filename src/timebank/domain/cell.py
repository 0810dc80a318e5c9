"""Cells of files that spreadsheet programs open.

Source: OWASP, CSV injection.
"""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula.

    What could be one has an apostrophe before it, so that a name typed by a stranger cannot run
    in an office's spreadsheet.
    """
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
