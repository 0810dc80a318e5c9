"""The log of a book as files, where any program that reads C2SP logs looks for them.

Full tiles never change, and neither do narrower ones of a size that was signed: both may be kept
for ever. Nothing here tells whose entry is which.

Source: C2SP tlog-tiles, sections "APIs" and "Merkle Tree".
"""

from hashlib import sha256
from typing import Annotated, Any

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import PathParameter

from timebank.http.identity import PUBLIC
from timebank.http.providers import Db, TimebankRequest
from timebank.services import log_reading
from timebank.web.typed import BookInPath

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

_TEXT, _BYTES = "text/plain; charset=utf-8", "application/octet-stream"


@get("/log/{book:int}/checkpoint", rule=PUBLIC)
async def show_checkpoint(request: TimebankRequest, book: BookInPath, db: Db) -> Response[bytes]:
    """Send the newest signed head."""
    note = await log_reading.find_checkpoint(db, book=book)
    return _file(request, None if note is None else note.encode(), media_type=_TEXT)


@get("/log/{book:int}/vkey", rule=PUBLIC)
async def show_keys(request: TimebankRequest, book: BookInPath, db: Db) -> Response[bytes]:
    """Send the keys that sign, and have signed, the newest first."""
    keys = await log_reading.list_verifier_keys(db, book=book)
    text = "".join(f"{each}\n" for each in keys)
    return _file(request, text.encode() or None, media_type=_TEXT)


@get("/log/{book:int}/tile/{path:path}", rule=PUBLIC)
async def show_tile(
    request: TimebankRequest,
    book: BookInPath,
    path: Annotated[str, PathParameter(max_length=80)],
    db: Db,
) -> Response[bytes]:
    """Send a tile of hashes, or a bundle of leaves."""
    content = await log_reading.find_tile(db, book=book, path=path.removeprefix("/"))
    return _file(request, content, media_type=_BYTES, is_final=True)


@get("/log/{book:int}/notices/checkpoint", rule=PUBLIC)
async def show_notices_checkpoint(
    request: TimebankRequest, book: BookInPath, db: Db
) -> Response[bytes]:
    """Send the newest signed head of the notices."""
    note = await log_reading.find_notices_checkpoint(db, book=book)
    return _file(request, None if note is None else note.encode(), media_type=_TEXT)


@get("/log/{book:int}/notices/tile/{path:path}", rule=PUBLIC)
async def show_notices_tile(
    request: TimebankRequest,
    book: BookInPath,
    path: Annotated[str, PathParameter(max_length=80)],
    db: Db,
) -> Response[bytes]:
    """Send a tile of the notices' hashes, or the notices themselves."""
    content = await log_reading.find_notices_tile(db, book=book, path=path.removeprefix("/"))
    return _file(request, content, media_type=_BYTES, is_final=True)


@get("/verify_log.py", rule=PUBLIC)
async def show_verifier(request: TimebankRequest) -> Response[bytes]:
    """Send the program that verifies a log or a proof without us."""
    return _file(
        request,
        log_reading.VERIFIER,
        media_type="text/x-python; charset=utf-8",
        disposition='attachment; filename="verify_log.py"',
    )


def _file(
    request: TimebankRequest,
    content: bytes | None,
    *,
    media_type: str,
    is_final: bool = False,
    disposition: str = "",
) -> Response[Any]:
    if content is None:
        raise NotFoundException
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {
        "etag": tag,
        "cache-control": _FOR_EVER if is_final else _ASK_AGAIN,
        # Any page may read it: there is nothing in it that depends on who asks.
        "access-control-allow-origin": "*",
    }
    if disposition:
        headers["content-disposition"] = disposition
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or f"W/{tag}" in known:
        return Response(None, status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
