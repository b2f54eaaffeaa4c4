# SPDX-License-Identifier: Apache-2.0
"""The overview: the way of a finding in nine stages, with counts under the viewer's own rows, and what is next for them."""

from datetime import timedelta

from litestar import Response, get

from clearwell.clearinghouse.distribution.store import Action
from clearwell.clearinghouse.flow import asking, coordinating, operating
from clearwell.clearinghouse.flow.overview import read_overview
from clearwell.faces.web.pages import page
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
    return page(visit, "overview.html", seen=seen, actions=actions, names=names, cases=_cases(visit, member), alarms=_alarms(visit, member))


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


PAGES = (overview,)
