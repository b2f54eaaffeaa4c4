# SPDX-License-Identifier: Apache-2.0
"""A finder's scorecard: yield, duplicate rate and precision, by tool and model."""

from litestar import Response, get

from clearwell.clearinghouse.flow.overview import read_scorecard
from clearwell.faces.web.pages import page
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.ids import OrganizationId, parse_id


@get("/scorecard", sync_to_thread=True)
def scorecard(request: PageRequest) -> Response[bytes]:
    """What became of what was sent: one's own, or for coordinators `?organization=`'s."""
    visit: Visit = request.state.visit
    member, asked = visit.signed_in(), visit.asked("organization")
    whose = OrganizationId(parse_id("org", asked)) if asked else None
    return page(visit, "scorecard.html", scores=read_scorecard(visit.house, member, whose), whose=whose)


PAGES = (scorecard,)
