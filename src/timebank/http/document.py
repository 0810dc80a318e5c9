"""Pages of paper: a kept layout and the data it prints become a PDF, the same bytes every time.

What people typed reaches the layout as data and is never read as part of it, so a name cannot run
anything. Fonts come from a package: no machine's own, and nothing is fetched.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache

import typst
from pylopdf_fonts_zh_cn import sans_path, serif_path

SANS = "Noto Sans SC"
"""The face of forms and tables."""

SERIF = "Noto Serif SC"
"""The face of what is signed and hung up."""


async def render_pdf(layout: str, *, data: Mapping[str, object], at: datetime) -> bytes:
    """Return a layout filled with data as a PDF, made in a thread; see `compile_pdf`.

    Raises:
        RuntimeError: The layout does not print this data.
    """
    return await asyncio.to_thread(compile_pdf, layout, data=data, at=at)


def compile_pdf(layout: str, *, data: Mapping[str, object], at: datetime) -> bytes:
    """Return a layout filled with data as a PDF; it says that it was made at `at`.

    The layout finds the data with `json(bytes(sys.inputs.data))`.

    Cost: about ten milliseconds a page.

    Raises:
        RuntimeError: The layout does not print this data.
    """
    # A compiler is not shared: two threads would give each other's inputs away.
    compiled = typst.compile(
        layout.encode(),
        format="pdf",
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=int(at.timestamp()),
    )
    if not isinstance(compiled, bytes):
        raise AssertionError("a PDF is one file")
    return compiled


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(sans_path().parent), str(serif_path().parent)],
    )
