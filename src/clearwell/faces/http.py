# SPDX-License-Identifier: Apache-2.0
"""What the API and the pages share of HTTP: one error table, who is asking, the front door (Host, headers), strict JSON bodies."""

import traceback
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ASGIApp, ExceptionHandlersMap, Message, Receive, Scope, Send

from clearwell.clearinghouse.intake.quota import QuotaReached
from clearwell.ground.house import House
from clearwell.ground.identity.actor import Member, Visitor
from clearwell.ground.identity.members import member_of_token
from clearwell.ground.settings import Settings
from clearwell.vocabulary.document import BROKEN_JSON
from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid, NotFound, Refused, TooLate, Unavailable


class NotSignedIn(Refused):
    """Nobody is named: no credentials came along, or none that are in force."""


class TooLarge(Invalid):
    """The request is larger than the limit of this address."""


STATUS: dict[type[ClearwellError], int] = {
    NotSignedIn: 401,
    TooLarge: 413,
    Invalid: 400,
    NotFound: 404,
    Refused: 403,
    Conflict: 409,
    TooLate: 410,
    QuotaReached: 429,
    Unavailable: 503,
}
"""The kinds of error -> HTTP status (vocabulary/errors.py); the first kind that fits counts."""

TITLES = {
    400: "what was sent cannot be understood",
    401: "nobody is signed in",
    403: "this is not allowed",
    404: "there is no such thing, or none that you may see",
    405: "this address does not take this method",
    408: "the request came too slowly",
    409: "this contradicts what already is",
    410: "a date has passed",
    413: "this is too large",
    429: "this is more than your organization may send now",
    415: "this kind of content is not taken here",
    500: "the hub failed; this is no fault of yours",
    503: "something this needs is not there now",
}
"""HTTP status -> the problem's title: the same for every problem of a kind (RFC 9457, 3.1.3)."""

PROBLEM_TYPE = "application/problem+json"
_LOG = structlog.get_logger("clearwell.http")


class Problem(msgspec.Struct, frozen=True):
    """An error as RFC 9457 writes it. `detail` tells a person what happened and what to do."""

    status: int
    title: str
    detail: str
    type: str = "about:blank"


# -- the one error table ---------------------------------------------------------------------------------------


def status_of(error: ClearwellError) -> int:
    """The HTTP status of an error of ours."""
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def problem(status: int, detail: str, retry_after: int = 5) -> Response[Problem]:
    """A problem as a response. `retry_after` is in seconds, said where coming back helps (RFC 9110, 10.2.3)."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {"Retry-After": str(retry_after)} if status in {429, 503} else {}
    title = TITLES.get(status, "the request failed")
    return Response(Problem(status, title, detail), status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def _of_ours(_request: Request[Any, Any, Any], error: ClearwellError) -> Response[Problem]:
    if isinstance(error, QuotaReached):
        return problem(status_of(error), str(error), error.seconds)
    return problem(status_of(error), str(error))


def of_the_framework(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """An error of the framework: its own words may quote the path, which may hold a link's secret, so ours are said instead."""
    if error.status_code >= 500:
        return _of_nobody(_request, error)
    made = problem(error.status_code, _said(error))
    if error.status_code == 405 and error.headers:
        made.headers.update({name: value for name, value in error.headers.items() if name.lower() == "allow"})
    return made


def _said(error: HTTPException) -> str:
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return "; ".join(map(_said_of, error.extra))[:2_000] or "the request does not fit docs/reference/api.md"
    if isinstance(error, ValidationException):
        return error.detail.partition(" for path ")[0][:300]
    return {
        404: "there is nothing at this address; docs/reference/api.md lists every address",
        405: "this address takes other methods; docs/reference/api.md lists them",
        413: "the request is larger than the limit here; send it in parts",
    }.get(error.status_code, TITLES.get(error.status_code, "the request does not fit docs/reference/api.md"))


def _said_of(part: Any) -> str:
    if part.get("key") == "data":
        return "the body is missing: send a JSON object"
    return f"{part.get('key', 'request')}: {part.get('message', 'is wrong')}"


def _of_nobody(_request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A fault of ours. Its kind and place are logged; its words may hold marked text and stay out."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{last[0].name}:{last[0].lineno}" if last else "?"
    _LOG.error("a request failed", error=f"{type(error).__name__} in {place}")
    return problem(500, "the hub's log names the place of the fault; tell its operator when it happened")


EXCEPTIONS: ExceptionHandlersMap = {
    ClearwellError: _of_ours,
    HTTPException: of_the_framework,
    Exception: _of_nobody,
}
"""What the API says to each error. The pages put handlers of their own nearer to theirs."""


# -- who is asking ---------------------------------------------------------------------------------------------


def bearer_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The secret of `Authorization: Bearer SECRET` (RFC 6750), None without the header; raise NotSignedIn for another scheme."""
    header = connection.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not 1 <= len(secret.strip()) <= 200:
        raise NotSignedIn("write `Authorization: Bearer ` and a service token")
    return secret.strip()


def actor_of(house: House, connection: ASGIConnection[Any, Any, Any, Any]) -> Member | Visitor:
    """Who asks: a token's holder, or a visitor. Raises NotSignedIn for a token that is not in force."""
    secret = bearer_of(connection)
    if secret is None:
        return Visitor()
    try:
        with house.transaction(Visitor()) as tx:
            return member_of_token(tx, secret, house.clock.now())
    except Refused as reason:
        raise NotSignedIn(str(reason)) from None


# -- strict bodies ---------------------------------------------------------------------------------------------


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded straight into the route's own type: no coercion, unknown keys named."""

    async def json(self) -> Any:
        """Decode the body as what the route takes; raise Invalid naming the place."""
        wanted = self.route_handler.parsed_data_field
        body = await self.body()
        try:
            return msgspec.json.decode(body, type=wanted.annotation if wanted is not None else Any)
        except BROKEN_JSON as reason:
            _refuse_body(reason)


def _refuse_body(reason: Exception) -> NoReturn:
    if isinstance(reason, RecursionError):
        raise Invalid("the body is nested too deeply") from None
    if isinstance(reason, UnicodeDecodeError):
        raise Invalid("the body is not UTF-8") from None
    raise Invalid(f"the body does not fit: {str(reason)[:500]}") from None


# -- the front door --------------------------------------------------------------------------------------------

_HEADERS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class FrontDoor:
    """The first thing a request meets, whatever its address: the Host must be ours; every answer bears the security headers.

    A route's own header wins over the one here (the feed may be cached).
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = {host.lower() for host in settings.allowed_hosts}
        self._headers = dict(_HEADERS)
        if urlsplit(settings.public_url).scheme == "https":
            self._headers[b"strict-transport-security"] = b"max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer 400."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._with_headers(list(message.get("headers", ())))
            await send(message)

        if scope["type"] == ScopeType.HTTP and not self._is_ours(scope["headers"]):
            said = "this hub does not answer to this Host; its operator sets CLEARWELL_ALLOWED_HOSTS"
            await _answer(problem(400, said), send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _is_ours(self, headers: Any) -> bool:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1:
            return False
        host = hosts[0].decode("latin-1").lower()
        name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
        return name in self._hosts or name.strip("[]") in self._hosts

    def _with_headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in headers}
        kind = next((value for name, value in headers if name.lower() == b"content-type"), b"")
        policy = _PAGE_POLICY if kind.startswith(b"text/html") else _DATA_POLICY
        added = {**self._headers, b"content-security-policy": policy}
        return [*headers, *((name, value) for name, value in added.items() if name not in present)]


async def _answer(made: Response[Problem], send: Send) -> None:
    """Send a problem without the framework: no route is known yet."""
    body = msgspec.json.encode(made.content)
    headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": made.status_code or 500, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
