# SPDX-License-Identifier: Apache-2.0
"""The overview: the way of a finding in nine stages, with counts under the viewer's own rows, and what is next for them."""

from datetime import timedelta
from typing import Any

from litestar import Response, get, post

from clearwell.clearinghouse.case.alarm_store import Alarm
from clearwell.clearinghouse.distribution.store import Action
from clearwell.clearinghouse.flow import alarming, asking, coordinating, operating
from clearwell.clearinghouse.flow.overview import read_overview
from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.ground.identity.actor import Member
from clearwell.ground.policy.policy import Act, Subject
from clearwell.vocabulary.component import identify


@get("/", sync_to_thread=True)
def overview(request: PageRequest) -> Response[bytes]:
    """The nine stages and what is next."""
    visit: Visit = request.state.visit
    member = visit.signed_in()
    seen = read_overview(visit.house, member)
    actions = _actions(visit, member)
    names = {action.id: identify(action.component).name for action in actions}
    facts: dict[str, Any] = {"cases": _cases(visit, member), "alarms": _alarms(visit, member), "escapes": _escapes(visit, member)}
    return page(visit, "overview.html", seen=seen, actions=actions, names=names, done=visit.asked("done"), **facts)


@post("/overview/resume", sync_to_thread=True)
def resume(request: PageRequest) -> Response[bytes]:
    """Let the proving queue go on after an alarm, saying why."""
    visit: Visit = request.state.visit
    alarming.resume_proving(visit.house, visit.signed_in(), visit.said("because"))
    return redirect("/?done=resumed")


def _actions(visit: Visit, member: Member) -> tuple[Action, ...]:
    if not visit.house.policy.allows(member, Act.READ_ACTIONS, Subject(organization=member.organization)):
        return ()
    return operating.read_actions(visit.house, member)[:3]


def _cases(visit: Visit, member: Member) -> tuple[object, ...]:
    if not visit.house.policy.allows(member, Act.READ_CASES):
        return ()
    ranked = coordinating.list_cases(visit.house, member, limit=100)
    return tuple(kept for kept in ranked if kept.case.published_at is None and kept.case.refused_at is None)[:3]


def _alarms(visit: Visit, member: Member) -> tuple[object, ...]:
    """Organizations that may be searching for what others found: coordinators see them for a week."""
    if not visit.house.policy.allows(member, Act.READ_CASES):
        return ()
    since = visit.house.clock.today() - timedelta(days=7)
    return tuple(alarm for alarm in asking.list_alarms(visit.house, member) if alarm["day"] >= since)


def _escapes(visit: Visit, member: Member) -> tuple[Alarm, ...]:
    """Runs that got out of their box and stop the proving queue, for who may let it go on."""
    if not visit.house.policy.allows(member, Act.RESUME_PROVING):
        return ()
    return alarming.read_alarms(visit.house, member)


PAGES = (overview, resume)
