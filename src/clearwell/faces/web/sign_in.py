# SPDX-License-Identifier: Apache-2.0
"""Signing in by a service token, out again, and by an exercise's one-time links."""

import threading

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import SESSION, VISIT, PageRequest, Visit, cookie
from clearwell.ground.house import House
from clearwell.ground.identity.actor import OrganizationKind, Visitor
from clearwell.ground.identity.members import close_session, member_of_person, member_of_token, open_session
from clearwell.vocabulary.errors import NotFound, Refused
from clearwell.vocabulary.ids import PersonId


class Demo:
    """One-time sign-in links of an exercise: secret -> person, in memory only, each used once."""

    def __init__(self, people: dict[str, PersonId]) -> None:
        self._people, self._lock = dict(people), threading.Lock()

    def use(self, secret: str) -> PersonId:
        """The person of a link, once; raise NotFound afterwards."""
        with self._lock:
            person = self._people.pop(secret, None)
        if person is None:
            raise NotFound("this one-time link was used already or never existed; the exercise prints new ones when it starts")
        return person


@get("/sign-in", sync_to_thread=True)
def sign_in(request: PageRequest) -> Response[bytes]:
    """The form for a token."""
    visit: Visit = request.state.visit
    if visit.member is not None:
        return redirect("/")
    return page(visit, "sign-in.html", cookies=(visit.new_binding(),), next=_local(visit.asked("next")), message="")


@post("/sign-in", sync_to_thread=True)
def sign_in_with_token(request: PageRequest) -> Response[bytes]:
    """Exchange a token for a session."""
    visit: Visit = request.state.visit
    house, token = visit.house, visit.said("token").strip()
    try:
        with house.transaction(Visitor()) as tx:
            person = member_of_token(tx, token, house.clock.now()).person
    except Refused as reason:
        cookies = (visit.new_binding(),)
        return page(visit, "sign-in.html", 403, cookies, next=_local(visit.said("next")), message=str(reason))
    return _start(house, person, _local(visit.said("next")), token)


@post("/sign-out", sync_to_thread=True)
def sign_out(request: PageRequest) -> Response[bytes]:
    """End the session here and in the hub."""
    visit: Visit = request.state.visit
    with visit.house.transaction(Visitor()) as tx:
        close_session(tx, visit.session)
    return redirect("/sign-in", (cookie(visit.house, SESSION, "", 0),))


def demo_page(demo: Demo) -> HTTPRouteHandler:
    """The page of an exercise's one-time links."""

    @get("/demo/sign-in/{secret:str}", sync_to_thread=True)
    def demo_sign_in(request: PageRequest, secret: FromPath[str]) -> Response[bytes]:
        """Exchange a one-time link for a session."""
        visit: Visit = request.state.visit
        return _start(visit.house, demo.use(secret), "/")

    return demo_sign_in


def _start(house: House, person: PersonId, next_page: str, token: str | None = None) -> Response[bytes]:
    with house.transaction(Visitor()) as tx:
        kind = member_of_person(tx, person).kind
        session = open_session(tx, person, house.clock.now(), house.settings.session_hours, token)
    seconds = house.settings.session_hours * 3600
    if next_page == "/" and kind in (OrganizationKind.OPERATOR, OrganizationKind.AGENCY):
        next_page = "/todo"  # what they came for; the overview is one step away
    return redirect(next_page, (cookie(house, SESSION, session, seconds), cookie(house, VISIT, "", 0)))


def _local(path: str) -> str:
    """A path of ours, or the overview: the form sends nobody to another site."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path and len(path) <= 500
    return path if is_ours else "/"


PAGES = (sign_in, sign_in_with_token, sign_out)
