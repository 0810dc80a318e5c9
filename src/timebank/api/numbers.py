"""`GET /api/numbers`: any metric of any division, by any definition, over any days."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

from timebank.domain import region as divisions
from timebank.domain.actor import Act
from timebank.domain.as_of import UnknownStateError, parse_as_of
from timebank.domain.definition import definition_on
from timebank.domain.metric import METRICS, Breakdown
from timebank.domain.window import Window, parse_window
from timebank.http import conditional
from timebank.http.file_format import Format, parse_format
from timebank.http.numbers_file import numbers_file
from timebank.http.providers import Db, OfficeScope, TimebankRequest
from timebank.queries.numbers import read_numbers
from timebank.services.errors import NotFoundError
from timebank.store.definitions import list_definitions_of

METRICS_MAX = 20
"""How many metrics one request may name."""

_TEXT = QueryParameter(max_length=60)


@get("/numbers", rule=Act.SEE_REPORTS, summary="Metrics of divisions, by a named definition")
async def show_numbers(
    request: TimebankRequest,
    office_scope: OfficeScope,
    db: Db,
    metrics: Annotated[str, QueryParameter(max_length=600)],
    window: Annotated[str, _TEXT],
    definition: Annotated[str, _TEXT] = "active-rate.residents.any-hour",
    by: Annotated[str, _TEXT] = Breakdown.REGION,
    region: Annotated[str | None, QueryParameter(max_length=12)] = None,
    as_of: Annotated[str | None, _TEXT] = None,
    media: Annotated[str, QueryParameter(name="format", max_length=10)] = Format.JSON,
) -> Response[Any]:
    """Return metrics, separated by commas, of a division and of all below it.

    `window` is such as `2024`, `2024-Q3`, `2024-03`, `12m..2024-06-30` or
    `2024-03-01..2024-03-31`. `as_of` is the number of an entry, or an instant with its zone: the
    numbers as they were then. `not_repeatable` names those that may be told otherwise later, as
    they count what is corrected in place or forgotten on request. What each metric counts is in
    `/dictionary`. A number that there is none of is null, never 0.
    """
    asked = parse_format(media)
    days = _window(window)
    names = metrics.split(",")
    if len(names) > METRICS_MAX or len(set(names)) < len(names) or not set(names) <= set(METRICS):
        raise ValidationException(f"metrics are some of {', '.join(METRICS)}")
    try:
        rows_by = Breakdown(by)
        state = None if as_of is None else parse_as_of(as_of)
        scope = (
            office_scope if region is None else office_scope.narrowed(divisions.parse_code(region))
        )
    except ValueError:
        raise ValidationException("by, as_of or region is not understood") from None
    if scope is None:
        raise NotFoundError
    try:
        async with db.read() as conn:
            known = await list_definitions_of(conn, region=scope.region)
            meant = definition_on(known, definition, on=days.last_on)
            if meant is None:
                raise NotFoundError
            found = await read_numbers(
                conn,
                scope=scope,
                metrics=names,
                definition=meant,
                window=days,
                by=rows_by,
                as_of=state,
            )
    except UnknownStateError:
        raise NotFoundError from None
    except ValueError as error:
        raise ValidationException(str(error)) from None
    if found is None:
        raise NotFoundError
    return conditional.answer(request, numbers_file(found, asked), media_type=asked.media_type)


def _window(text: str) -> Window:
    try:
        return parse_window(text)
    except ValueError:
        raise ValidationException("window is such as 2024, 2024-Q3, 2024-03") from None
