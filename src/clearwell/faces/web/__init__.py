# SPDX-License-Identifier: Apache-2.0
"""The web face: pages rendered on the server, which work without scripts. Each handler calls verbs and renders; no logic, no SQL."""

from collections.abc import Awaitable, Callable

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router

from clearwell.faces.web import advisories, cases, comparison, ledger, maintainer, overview, reports, scorecard, sign_in, suggestions, todo
from clearwell.faces.web.errors import error_page
from clearwell.faces.web.pages import STATIC
from clearwell.faces.web.sign_in import Demo
from clearwell.faces.web.visit import PageRequest, begin
from clearwell.ground.house import House
from clearwell.vocabulary.errors import ClearwellError

_STATIC_SECONDS = 3600
"""How long a browser may keep a style sheet or a font: a page on a slow line does not load them again."""

__all__ = ["Demo", "error_page", "web_routes"]


def web_routes(house: House, demo: Demo | None = None) -> tuple[Router, ...]:
    """Every page of a hub and its static files. `demo` adds one-time sign-in links, for an exercise on one's own machine."""
    pages = [
        *overview.PAGES,
        *sign_in.PAGES,
        *reports.PAGES,
        *cases.PAGES,
        *comparison.PAGES,
        *suggestions.PAGES,
        *scorecard.PAGES,
        *todo.PAGES,
        *maintainer.PAGES,
        *ledger.PAGES,
        *advisories.PAGES,
        *([sign_in.demo_page(demo)] if demo is not None else []),
    ]
    router = Router(
        path="/",
        route_handlers=pages,
        before_request=_begin(house),
        exception_handlers=dict.fromkeys((ClearwellError, HTTPException, Exception), error_page),
        request_max_body_size=house.settings.request_bytes,
        include_in_schema=False,
    )
    kept = CacheControlHeader(max_age=_STATIC_SECONDS, public=True)
    return router, create_static_files_router("/static", [STATIC], name="static", include_in_schema=False, cache_control=kept)


def _begin(house: House) -> Callable[[PageRequest], Awaitable[None]]:
    async def begin_visit(request: PageRequest) -> None:
        request.state["visit"] = await begin(house, request)

    return begin_visit
