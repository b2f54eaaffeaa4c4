# SPDX-License-Identifier: Apache-2.0
"""The queue of suggestions: pairs of cases that may be one flaw, with every signal; joined, kept apart and undone by keyboard or mouse."""

from litestar import Response, get, post
from litestar.params import FromPath

from clearwell.clearinghouse.dedupe.suggestion import place_of
from clearwell.clearinghouse.flow import suggesting
from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.vocabulary.ids import CaseId, parse_id

_PAGE = 20


@get("/suggestions", sync_to_thread=True)
def suggestions(request: PageRequest) -> Response[bytes]:
    """What waits for a person, the likeliest first, and what was decided last."""
    visit: Visit = request.state.visit
    member, after = visit.signed_in(), visit.asked("after")
    found = suggesting.list_suggestions(visit.house, member, place_of(after) if after else None, _PAGE)
    decided = suggesting.list_decided(visit.house, member, 10)
    return page(visit, "suggestions.html", found=found, decided=decided, me=member.person, done=visit.asked("done"))


@post("/suggestions/{one:str}/{other:str}/accept", sync_to_thread=True)
def accept(request: PageRequest, one: FromPath[str], other: FromPath[str]) -> Response[bytes]:
    """Join the two cases."""
    visit: Visit = request.state.visit
    judged = suggesting.accept_suggestion(visit.house, visit.signed_in(), _case(one), _case(other))
    return redirect(f"/suggestions?done={'proposed' if judged.proposal else 'accepted'}")


@post("/suggestions/{one:str}/{other:str}/different", sync_to_thread=True)
def dismiss(request: PageRequest, one: FromPath[str], other: FromPath[str]) -> Response[bytes]:
    """Say that the two are different."""
    visit: Visit = request.state.visit
    suggesting.dismiss_suggestion(visit.house, visit.signed_in(), _case(one), _case(other), visit.said("reason"))
    return redirect("/suggestions?done=different")


@post("/suggestions/{one:str}/{other:str}/undo", sync_to_thread=True)
def undo(request: PageRequest, one: FromPath[str], other: FromPath[str]) -> Response[bytes]:
    """Take an acceptance back."""
    visit: Visit = request.state.visit
    judged = suggesting.undo_suggestion(visit.house, visit.signed_in(), _case(one), _case(other))
    return redirect(f"/suggestions?done={'proposed' if judged.proposal else 'undone'}")


def _case(text: str) -> CaseId:
    return CaseId(parse_id("case", text))


PAGES = (suggestions, accept, dismiss, undo)
