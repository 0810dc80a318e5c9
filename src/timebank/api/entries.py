"""`GET /api/entries`: a book for a program that keeps a copy, page after page."""

import io
import json
from datetime import datetime
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain.actor import Act
from timebank.http import conditional
from timebank.http.file_format import Format, parse_format
from timebank.http.providers import Db, OfficeScope, TimebankRequest
from timebank.ledger.export_formats import COLUMNS, CsvWriter, ParquetWriter, values_of
from timebank.queries.entries import EntriesPage, list_entries
from timebank.services.errors import NotFoundError

_FORMATS = (Format.JSON, Format.CSV, Format.PARQUET)

LIMIT_MAX = 10_000
"""Entries of the longest page: some 2 MB of JSON."""


@get("/entries", rule=Act.PULL_ENTRIES, summary="Entries of a book, page after page")
async def show_entries(
    request: TimebankRequest,
    office_scope: OfficeScope,
    db: Db,
    book: Annotated[int, QueryParameter(ge=100_000, le=999_999)],
    after: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX)] = 1_000,
    media: Annotated[str, QueryParameter(name="format", max_length=10)] = "json",
) -> Response[Any]:
    """Return the entries of a county's book that follow entry `after`, in their order.

    Entries never change, so a page that is full never does. The header `link` leads to the next
    page; where there is none, the book ends: ask again later from the last entry that was read.
    """
    asked = parse_format(media, among=_FORMATS)
    async with db.read() as conn:
        page = await list_entries(conn, scope=office_scope, book=book, after=after, limit=limit)
    if page is None:
        raise NotFoundError
    headers = {"x-book-head": str(page.head)}
    if page.last < page.head:
        headers["link"] = (
            f'</api/entries?book={book}&after={page.last}&limit={limit}&format={asked}>; rel="next"'
        )
    return conditional.answer(
        request, _written(page, asked), media_type=asked.media_type, headers=headers
    )


def _written(page: EntriesPage, asked: Format) -> bytes:
    if asked is Format.JSON:
        return _as_json(page)
    output = io.BytesIO()
    if asked is Format.CSV:
        csv = CsvWriter(output)
        csv.write_head()
        csv.write_entries(page.entries)
    else:
        parquet = ParquetWriter(output)
        parquet.write_entries(page.entries)
        parquet.end()
    return output.getvalue()


def _as_json(page: EntriesPage) -> bytes:
    entries = [dict(zip(COLUMNS, values_of(each), strict=True)) for each in page.entries]
    body = {"book": page.book, "after": page.after, "last": page.last, "entries": entries}
    return json.dumps(body, ensure_ascii=False, default=_instant).encode()


def _instant(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(type(value))
    return value.isoformat()
