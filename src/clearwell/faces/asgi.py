# SPDX-License-Identifier: Apache-2.0
"""The server's application: the API and the pages in one, behind the front door."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from clearwell.faces.api import PATH, api_routes
from clearwell.faces.api.door import MOST, Door
from clearwell.faces.api.stream import Streams
from clearwell.faces.http import EXCEPTIONS, FrontDoor, of_the_framework
from clearwell.faces.web import Demo, error_page, web_routes
from clearwell.ground.house import House


def build_app(house: House, demo: Demo | None = None) -> Litestar:
    """Build the application for a house. `demo` adds one-time sign-in links, for an exercise on one's own machine."""
    app = Litestar(
        route_handlers=[*api_routes(house), *web_routes(house, demo)],
        state=State({"house": house, "streams": Streams()}),
        lifespan=[_uploads],
        exception_handlers={**EXCEPTIONS, NotFoundException: _not_found},
        request_max_body_size=house.settings.request_bytes,
        openapi_config=OpenAPIConfig(
            title="Clearwell",
            version=version("clearwell"),
            description="docs/reference/api.md says more. Errors are problems as RFC 9457 writes them.",
            path=PATH,
            render_plugins=[_SchemaAlone(path="/openapi.json")],
            components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
            use_handler_docstrings=True,
        ),
        logging_config=None,
        debug=False,
    )
    _note_parameters(app)
    app.asgi_handler = FrontDoor(app.asgi_handler, house.settings)
    return app


class _SchemaAlone(JsonRenderPlugin):
    """The schema at its one address, without the framework's pages around it, which would answer for every address beside it."""

    def receive_router(self, router: Router) -> None:
        router.routes = [route for route in router.routes if self.has_path(f"/{route.path.rpartition('/')[2]}")]


@asynccontextmanager
async def _uploads(app: Litestar) -> AsyncIterator[None]:
    """Threads of their own for reports that are being received, shared fairly among organizations."""
    with ThreadPoolExecutor(MOST, thread_name_prefix="upload") as threads:
        app.state.uploads = Door(threads)
        yield


def _note_parameters(app: Litestar) -> None:
    """Tell each route of the API which query parameters it takes, so that its guard can refuse others by name."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith(f"{PATH}/"):
            for handler, kwargs in route.route_handler_map.values():
                handler.opt["parameters"] = frozenset(parameter.field_alias for parameter in kwargs.expected_query_params)


def _not_found(request: Request[Any, Any, Any], reason: NotFoundException) -> Response[Any]:
    """No such address: a page for who looks with a browser, a problem for programs."""
    if not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        return error_page(request, reason)
    return of_the_framework(request, reason)
