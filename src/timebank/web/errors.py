"""The page for each thing that can go wrong: what happened, and a way on."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Redirect

from timebank.http.errors import HttpError, error_of
from timebank.web.frame import home_of, show, translate_of
from timebank.web.public import ErrorPage


def answer_page(request: Request[Any, Any, Any], exception: Exception) -> Response[Any]:
    """Answer a failed page: who must sign in is sent there and comes back, others are told."""
    error = error_of(exception)
    if error is HttpError.NOT_SIGNED_IN and request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        return_to = quote(request.url.path + query, safe="/")
        return Redirect(f"/sign-in?return_to={return_to}", status_code=303)
    _ = translate_of(request)
    must_sign_in = error is HttpError.NOT_SIGNED_IN
    actor = request.scope.get("user")
    return show(
        request,
        "public/error.html",
        ErrorPage(
            status=error.status,
            title=_(error.value),
            hint=_(f"{error.value}.hint"),
            action_label=_("去登录") if must_sign_in else _("回到首页"),
            action_url="/sign-in" if must_sign_in else home_of(actor),
            code=error.value,
        ),
        status=error.status,
    )
