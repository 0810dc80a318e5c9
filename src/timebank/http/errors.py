"""Every refusal and failure → status and problem body, on one page.

Bodies follow RFC 9457 with a stable `code`; no exception text ever leaves the product.
"""

from enum import StrEnum
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from timebank.domain.attendance import ScanRefusal
from timebank.http.gathering import CrowdedError
from timebank.http.identity import ForbiddenError, NotSignedInError
from timebank.ledger.export_formats import LibraryMissingError
from timebank.services.errors import ConflictError, NotFoundError, NotPermittedError

SCAN_STATUS: dict[ScanRefusal, int] = {
    ScanRefusal.FORGED_CODE: 403,
    ScanRefusal.FOREIGN_CODE: 400,
    ScanRefusal.EXPIRED_CODE: 410,
    ScanRefusal.SHIFT_NOT_FOUND: 404,
    ScanRefusal.NOT_A_VOLUNTEER: 403,
    ScanRefusal.OWN_CODE: 403,
    ScanRefusal.SHIFT_CANCELLED: 409,
    ScanRefusal.ALREADY_LEFT: 409,
    ScanRefusal.SHIFT_CLOSED: 409,
    ScanRefusal.NOT_SIGNED_UP: 409,
    ScanRefusal.NOT_CLEARED: 409,
    ScanRefusal.ALREADY_ARRIVED: 409,
    ScanRefusal.NOT_ARRIVED: 409,
    ScanRefusal.TOO_EARLY: 409,
    ScanRefusal.TOO_LATE: 409,
    ScanRefusal.ELSEWHERE: 409,
    ScanRefusal.STAY_TOO_SHORT: 409,
    ScanRefusal.DAY_FULL: 409,
}
"""What the API answers to each refused scan."""


class HttpError(StrEnum):
    """The codes of what can go wrong with any request; each has a page and a problem body."""

    BAD_REQUEST = "error.400"
    NOT_SIGNED_IN = "error.401"
    FORBIDDEN = "error.403"
    NOT_FOUND = "error.404"
    METHOD_NOT_ALLOWED = "error.405"
    NOT_ACCEPTABLE = "error.406"
    CONFLICT = "error.409"
    GONE = "error.410"
    TOO_LARGE = "error.413"
    UNSUPPORTED_MEDIA_TYPE = "error.415"
    TOO_MANY_REQUESTS = "error.429"
    DEFECT = "error.500"
    BUSY = "error.503"

    @property
    def status(self) -> int:
        """The HTTP status that the code ends in."""
        return int(self.value.rpartition(".")[2])


_BY_STATUS = {each.status: each for each in HttpError}

_BY_EXCEPTION: dict[type[Exception], HttpError] = {
    NotSignedInError: HttpError.NOT_SIGNED_IN,
    ForbiddenError: HttpError.FORBIDDEN,
    NotPermittedError: HttpError.FORBIDDEN,
    NotFoundError: HttpError.NOT_FOUND,
    ConflictError: HttpError.CONFLICT,
    CrowdedError: HttpError.BUSY,
    LibraryMissingError: HttpError.NOT_ACCEPTABLE,
}


def error_of(exception: Exception) -> HttpError:
    """Return the code of whatever a handler raised; what nobody foresaw is a defect."""
    for kind, error in _BY_EXCEPTION.items():
        if isinstance(exception, kind):
            return error
    if isinstance(exception, HTTPException):
        return _BY_STATUS.get(
            exception.status_code,
            HttpError.BAD_REQUEST if exception.status_code < 500 else HttpError.DEFECT,
        )
    return HttpError.DEFECT


def problem(code: str, *, status: int) -> Response[dict[str, object]]:
    """Return a problem body with a stable code."""
    return Response(
        {"type": "about:blank", "status": status, "code": code},
        status_code=status,
        media_type="application/problem+json",
    )


def answer_problem(_: Request[Any, Any, Any], exception: Exception) -> Response[dict[str, object]]:
    """Answer a failed API request."""
    error = error_of(exception)
    return problem(error.value, status=error.status)
