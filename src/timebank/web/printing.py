"""What is printed: a kept layout, filled, as a file to download."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from litestar import Response

from timebank.http.document import render_pdf
from timebank.web.code_picture import code_picture


@cache
def _layout(name: str) -> str:
    return (files("timebank.web") / "documents" / f"{name}.typ").read_text("utf-8")


async def show_pdf(
    layout: str, *, data: Mapping[str, object], file_name: str, at: datetime
) -> Response[bytes]:
    """Return a layout filled with data as a file."""
    return Response(
        await render_pdf(_layout(layout), data=data, at=at),
        media_type="application/pdf",
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file_name)}",
            "cache-control": "no-store",
        },
    )


def code_svg(text: str) -> str:
    """Return the code of a text as a drawing of its own, black on white with its quiet zone."""
    picture = code_picture(text)
    side = picture.side
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{picture.path}"/></svg>'
    )
