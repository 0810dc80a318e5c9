"""Codes as pictures: a text becomes one SVG path that a page prints without any style."""

import qrcode
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M

from timebank.web.parts import CodePicture

QUIET_ZONE = 4
"""Light modules around a code, as the standard asks. Source: ISO/IEC 18004, section 9.1."""


def code_picture(text: str, *, is_projected: bool = False) -> CodePicture:
    """Return the code of a text, with its quiet zone.

    A projected code is drawn with the lowest error correction: on a wall nothing covers it, and
    fewer, larger modules are what carries over eight metres.
    """
    code = qrcode.QRCode(
        error_correction=ERROR_CORRECT_L if is_projected else ERROR_CORRECT_M, border=QUIET_ZONE
    )
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    return CodePicture(side=len(rows), path="".join(_runs(rows)))


def _runs(rows: list[list[bool]]) -> list[str]:
    """Return one closed path per run of dark modules in a row, top to bottom."""
    paths = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            width = 0
            while x + width < len(row) and row[x + width]:
                width += 1
            if width:
                paths.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width or 1
    return paths
