# SPDX-License-Identifier: Apache-2.0
"""Error pages: what happened and what to do, from the one error table."""

from urllib.parse import quote

import structlog
from litestar import Response
from litestar.exceptions import HTTPException

from clearwell.faces.http import NotSignedIn, status_of
from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.errors import ClearwellError

_LOG = structlog.get_logger()

_HEADINGS = {
    400: "This could not be understood",
    403: "This is not yours to do",
    404: "There is no such page",
    405: "This page takes no such request",
    409: "This does not fit what is there now",
    410: "The time for this has passed",
    413: "This is too large",
    500: "Something went wrong here",
    503: "Something this needs is not there now",
}
_ADVICE = {
    400: "Go back, correct what is named above and send it again.",
    403: "If it should be yours, ask your organization's administrator or the coordinator of this hub.",
    404: "Check the address, or start again from the overview. What you may not see is told in the same words as what does not exist.",
    405: "Start again from the overview.",
    409: "Load the page again, look at what stands there now, then decide.",
    410: "Start again from the overview, or ask the coordinator.",
    413: "Split it, or use the command line tool, which sends large reports.",
    500: "Try again. If it happens again, tell the administrator when it happened; nothing that you sent before is lost.",
    503: "Try again in a minute. Nothing that you sent before is lost.",
}


def error_page(request: PageRequest, reason: Exception) -> Response[bytes]:
    """The page for an error, or the way to the sign-in page."""
    visit: Visit | None = request.state.get("visit")
    if isinstance(reason, NotSignedIn):
        return _sign_in_first(request)
    if isinstance(reason, ClearwellError):
        status, message = status_of(reason), str(reason)
    elif isinstance(reason, HTTPException):
        status, message = reason.status_code, ""
    else:
        _LOG.error("page failed", kind=type(reason).__name__, route=getattr(request.route_handler, "name", None))
        status, message = 500, ""
    heading = _HEADINGS.get(status, "This did not work")
    back = _form_of(request.url.path) if request.method == "POST" else ""
    return page(visit, "error.html", status, heading=heading, message=message, back=back, advice=_ADVICE.get(status, ""))


def _form_of(path: str) -> str:
    """The page on which a form stood, from the address it was sent to."""
    parts = path.split("/")[1:]
    return "/" + "/".join(parts[: {"cases": 2, "maintainer": 2, "reports": 3}.get(parts[0], 1)])


def _sign_in_first(request: PageRequest) -> Response[bytes]:
    if request.headers.get("hx-request"):
        return Response(b"", status_code=401, media_type="text/plain")
    if request.method != "GET":
        return redirect("/sign-in")
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return redirect(f"/sign-in?next={quote(asked)}")
