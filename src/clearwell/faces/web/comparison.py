# SPDX-License-Identifier: Apache-2.0
"""Two reports side by side, with what they share marked, and one key to say that they are different."""

from litestar import Response, get
from litestar.params import FromPath

from clearwell.clearinghouse.dedupe.comparison import compare
from clearwell.clearinghouse.flow import coordinating
from clearwell.faces.web.pages import page
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.ids import CaseId, FindingId, parse_id


@get("/cases/{case:str}/compare/{left:str}/{right:str}", sync_to_thread=True)
def comparison(request: PageRequest, case: FromPath[str], left: FromPath[str], right: FromPath[str]) -> Response[bytes]:
    """Two reports of a case, or of two cases, line by line."""
    visit: Visit = request.state.visit
    member, case_id = visit.signed_in(), CaseId(parse_id("case", case))
    ids = FindingId(parse_id("finding", left)), FindingId(parse_id("finding", right))
    one, other = coordinating.read_two_findings(visit.house, member, case_id, *ids)
    return page(visit, "comparison.html", case=case_id, left=one, right=other, lines=compare(one.body, other.body))


PAGES = (comparison,)
