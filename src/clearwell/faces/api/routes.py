# SPDX-License-Identifier: Apache-2.0
"""How a route of the API is declared: every one names its act, and who may not do it is turned away before anything is read."""

from collections.abc import Callable
from typing import Annotated, Any

from litestar import Request, get, post, put
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter, SkipValidation

from clearwell.clearinghouse.flow import maintaining
from clearwell.faces.http import PROBLEM_TYPE, NotSignedIn, Problem, actor_of
from clearwell.ground.house import House
from clearwell.ground.identity.actor import LinkHolder, Member
from clearwell.ground.policy.policy import Act, Subject
from clearwell.vocabulary.errors import Invalid, Refused

Connection = ASGIConnection[Any, Any, Any, Any]
Housed = NamedDependency[SkipValidation[House]]
Signed = NamedDependency[SkipValidation[Member]]
Linked = NamedDependency[SkipValidation[LinkHolder]]
"""What routes are handed: the house, the member whose token came along, the holder of the link in the path."""

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="At most so many rows.")]
After = Annotated[str | None, QueryParameter(min_length=1, max_length=100, description="`next` of the page before.")]

_SAID = {
    400: "Invalid",
    401: "no credentials in force",
    403: "Refused",
    404: "NotFound",
    409: "Conflict",
    410: "TooLate",
    413: "too large",
    429: "a quota is used up; Retry-After says when to come back",
}


def _problems(*left_out: int) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=said, media_type=PROBLEM_TYPE)
        for status, said in {**_SAID, 503: "Unavailable"}.items()
        if status not in left_out
    }


Declare = Callable[[Callable[..., Any]], HTTPRouteHandler]


def read(path: str, act: Act, **more: Any) -> Declare:
    """A GET route that does `act`."""
    return get(path, **_declared(act, more))


def write(path: str, act: Act, **more: Any) -> Declare:
    """A POST route that does `act`."""
    return post(path, **_declared(act, more))


def replace(path: str, act: Act, **more: Any) -> Declare:
    """A PUT route that does `act`."""
    return put(path, **_declared(act, more))


def _declared(act: Act, more: dict[str, Any]) -> dict[str, Any]:
    public = act is Act.READ_PUBLIC or more.pop("by_link", False)
    threaded = {} if more.pop("is_async", False) else {"sync_to_thread": True}
    security: list[dict[str, list[str]]] = [] if public else [{"token": []}]
    responses = {**({200: more.pop("ok")} if "ok" in more else {}), **_problems()}
    return {"opt": {"act": act}, "responses": responses, "security": security, **threaded, **more}


def _act(handler: BaseRouteHandler) -> Act:
    """The act that a route declares; what declares none (OPTIONS) is not taken."""
    act = handler.opt.get("act")
    if not isinstance(act, Act):
        raise MethodNotAllowedException
    return act


async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
    """Find who asks, and ask the policy whether they may do the route's act at all. The verb asks again about the thing itself."""
    act = _act(handler)
    _refuse_unknown_parameters(connection)
    house: House = connection.app.state.house
    actor = await sync_to_thread(actor_of, house, connection)
    organization = actor.organization if isinstance(actor, Member) else ""
    try:
        house.policy.require(actor, act, Subject(organization=organization))
    except Refused:
        if isinstance(actor, Member):
            raise
        raise NotSignedIn("this needs a service token: `Authorization: Bearer ` and the token") from None
    connection.scope["user"] = actor


async def admit_holder(connection: Connection, handler: BaseRouteHandler) -> None:
    """Find whose link stands in the path, and ask the policy whether it is for the route's act."""
    act = _act(handler)
    _refuse_unknown_parameters(connection)
    house: House = connection.app.state.house
    holder = await sync_to_thread(maintaining.open_link, house, str(connection.path_params["secret"]))
    house.policy.require(holder, act, Subject(holder.case, case=holder.case))
    connection.scope["user"] = holder


def _refuse_unknown_parameters(connection: Connection) -> None:
    """A misspelled `marking` must not be a milder one: unknown parameters are errors."""
    known = connection.route_handler.opt.get("parameters")
    unknown = sorted(name for name in connection.query_params if known is not None and name not in known)
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise Invalid(f"unknown parameter {unknown[0][:60]!r}; this address takes: {takes}")


async def house_of(request: Request[Any, Any, Any]) -> House:
    """The house that the application was built for."""
    house: House = request.app.state.house
    return house


async def member_of_request(request: Request[Any, Any, Any]) -> Member:
    """The member whom the guard let in."""
    member: Member = request.scope["user"]
    return member


async def holder_of_request(request: Request[Any, Any, Any]) -> LinkHolder:
    """The holder of a link whom the guard let in."""
    holder: LinkHolder = request.scope["user"]
    return holder
