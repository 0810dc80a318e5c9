"""`GET /api/reports/active-rate`: the report that the page and the command line print too."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from timebank.domain import region as divisions
from timebank.domain.actor import Act
from timebank.domain.as_of import parse_as_of
from timebank.http.providers import Db, OfficeScope
from timebank.queries.active_rate import active_rates
from timebank.services.errors import NotFoundError


@get("/reports/active-rate", rule=Act.SEE_REPORTS)
async def show_active_rate(
    office_scope: OfficeScope,
    db: Db,
    year: Annotated[int, QueryParameter(ge=2000, le=2100)],
    region: Annotated[str | None, QueryParameter(max_length=12)] = None,
    as_of: Annotated[str | None, QueryParameter(max_length=40)] = None,
) -> Response[dict[str, Any]]:
    """Return the active rate of every division of a subtree that the office may see.

    `as_of` is the number of an entry, or an instant with its zone: the report as it was then.
    """
    scope = office_scope
    if region is not None:
        try:
            narrowed = office_scope.narrowed(divisions.parse_code(region))
        except ValueError:
            narrowed = None
        if narrowed is None:
            raise NotFoundError
        scope = narrowed
    try:
        asked = None if as_of is None else parse_as_of(as_of)
        async with db.read() as conn:
            report = await active_rates(conn, scope=scope, year=year, as_of=asked)
    except ValueError:
        raise NotFoundError from None
    if report is None:
        raise NotFoundError
    return Response(report.as_json())
