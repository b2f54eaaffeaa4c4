# SPDX-License-Identifier: Apache-2.0
"""The REST API, version 1: each route names its act, parses what came, calls one verb and shows what it returned."""

from litestar import Router
from litestar.di import Provide

from clearwell.faces.api import (
    alarms,
    cases,
    contacts,
    files,
    findings,
    fixes,
    known,
    maintainer,
    operators,
    overview,
    public,
    runs,
    sources,
    submissions,
    suggestions,
    uploads,
)
from clearwell.faces.api.routes import admit, holder_of_request, house_of, member_of_request
from clearwell.faces.http import EXCEPTIONS, StrictRequest
from clearwell.ground.house import House

PATH = "/api/v1"
"""Where version 1 lives. It only gains fields."""

_SUBJECTS = (submissions, sources, uploads, known, findings, cases, suggestions, contacts, fixes, runs, alarms, operators, overview, public)


def api_routes(house: House) -> tuple[Router, ...]:
    """Every route of the API, with the static files of the feed and the ledger."""
    by_token = Router("/", route_handlers=[handler for subject in _SUBJECTS for handler in subject.ROUTES], guards=[admit])
    api = Router(
        PATH,
        route_handlers=[by_token, maintainer.ROUTER],
        dependencies={"house": Provide(house_of), "member": Provide(member_of_request), "holder": Provide(holder_of_request)},
        request_class=StrictRequest,
        request_max_body_size=house.settings.request_bytes,
        exception_handlers=EXCEPTIONS,
        tags=["api"],
    )
    static = Router(
        "/", route_handlers=[files.ROUTER], guards=[admit], dependencies={"house": Provide(house_of)}, exception_handlers=EXCEPTIONS
    )
    return api, static
