# SPDX-License-Identifier: Apache-2.0
"""Published advisories. Public."""

from litestar import Response, get
from litestar.params import FromPath

from clearwell.clearinghouse.flow import publishing
from clearwell.faces.web.pages import page
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.errors import NotFound

_SHOWN = 200


@get("/advisories", sync_to_thread=True)
def advisories(request: PageRequest) -> Response[bytes]:
    """The newest advisories."""
    visit: Visit = request.state.visit
    published = publishing.list_advisories(visit.house, visit.actor)
    return page(visit, "advisories.html", advisories=[one.advisory for one in published[:_SHOWN]], total=len(published))


@get("/advisories/{public_id:str}", sync_to_thread=True)
def advisory(request: PageRequest, public_id: FromPath[str]) -> Response[bytes]:
    """One advisory with its documents."""
    visit: Visit = request.state.visit
    if len(public_id) > 100:
        raise NotFound("there is no such advisory")
    return page(visit, "advisory.html", documents=publishing.read_advisory(visit.house, visit.actor, public_id))


PAGES = (advisories, advisory)
