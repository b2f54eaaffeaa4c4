# SPDX-License-Identifier: Apache-2.0
"""The operator's page: at most five things to do, in plain words, printable; receipts, the inventory, and the same as JSON."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from clearwell.clearinghouse.distribution.store import Action
from clearwell.clearinghouse.flow import operating
from clearwell.faces.http import actor_of, status_of
from clearwell.faces.web.consequences import consequence
from clearwell.faces.web.pages import page, redirect
from clearwell.faces.web.visit import PageRequest, Visit
from clearwell.ground.identity.actor import Member
from clearwell.inventory.versions import key
from clearwell.vocabulary.component import identify
from clearwell.vocabulary.errors import ClearwellError, Invalid
from clearwell.vocabulary.ids import ActionId, parse_id

_AT_ONCE = 5
"""What one page asks of one person."""

_EXPOSED: dict[str, bool | str] = {"true": True, "false": False, "unknown": "unknown"}


@get("/todo", sync_to_thread=True)
def todo(request: PageRequest) -> Response[bytes]:
    """What to do next: at most five items, or all of them when asked."""
    visit: Visit = request.state.visit
    return _show(visit, visit.signed_in())


def _show(visit: Visit, member: Member, error: ClearwellError | None = None) -> Response[bytes]:
    """The page; after a form that could not be taken, with the reason and what was typed."""
    organization, assets = operating.read_assets(visit.house, member)
    actions = operating.read_actions(visit.house, member, with_installed=True)
    still = [action for action in actions if action.receipt != "installed"]
    zone, every = ZoneInfo(organization.time_zone), bool(visit.asked("all") or visit.said("all"))
    facts: dict[str, Any] = {
        "operator": organization,
        "assets": assets,
        "items": still if every else still[:_AT_ONCE],
        "total": len(still),
        "installed": [action for action in actions if action.receipt == "installed"][:_AT_ONCE],
        "names": {action.id: identify(action.component).name for action in actions},
        "zone": zone,
        "today": visit.house.clock.now().astimezone(zone).date(),
        "all": every,
        "install": highest(still),
        "could": {action.id: consequence(action.title) for action in actions},
        "done": visit.asked("done"),
        "counted": visit.asked("counted") if visit.asked("counted").isdecimal() else "",
        "error": str(error) if error else "",
        "typed": {name: visit.said(name) for name in ("asset", "exposed")},
    }
    return page(visit, "todo.html", status_of(error) if error else 200, **facts)


@get("/todo.json", sync_to_thread=True)
def todo_feed(request: PageRequest) -> Response[bytes]:
    """Everything there is to do, for machines: by session, or by a service token."""
    visit: Visit = request.state.visit
    asking = visit.member or actor_of(visit.house, request)
    member = asking if isinstance(asking, Member) else visit.signed_in()
    organization, _ = operating.read_assets(visit.house, member)
    actions = operating.read_actions(visit.house, member, with_installed=True)
    told = {"operator": organization.name, "time_zone": organization.time_zone, "items": [_told(action) for action in actions]}
    return Response(msgspec.json.encode(told), media_type="application/json")


@post("/todo/{action:str}/receipt", sync_to_thread=True)
def receipt(request: PageRequest, action: FromPath[str]) -> Response[bytes]:
    """Say that an item was received, or for when it is planned."""
    visit: Visit = request.state.visit
    member = visit.signed_in()
    action_id, said = ActionId(parse_id("action", action)), visit.said("receipt")
    try:
        operating.send_receipt(visit.house, member, action_id, said, _day(visit.said("planned_for")) if said == "planned" else None)
    except Invalid as reason:
        return _show(visit, member, reason)
    return redirect(f"/todo?done={'planned' if said == 'planned' else 'received'}{'&all=1' if visit.said('all') else ''}#{action_id}")


@post("/todo/inventory", sync_to_thread=True)
def inventory(request: PageRequest) -> Response[bytes]:
    """Send what runs on an asset."""
    visit: Visit = request.state.visit
    member = visit.signed_in()
    try:
        name, content = visit.file("inventory")
        exposed = visit.said("exposed")
        if exposed not in _EXPOSED:
            raise Invalid("say whether the system can be reached from the internet: yes, no or not known")
        taken = operating.send_inventory(visit.house, member, visit.said("asset").strip(), _EXPOSED[exposed], content, name)
    except Invalid as reason:
        return _show(visit, member, reason)
    return redirect(f"/todo?done=inventory&counted={taken.components}")


def highest(actions: list[Action]) -> dict[str, str]:
    """Action -> the repaired version to install: the highest that any item asks for of the same software on the same system."""
    found: dict[tuple[str, str], str] = {}
    for action in actions:
        place, fixed = (action.asset, action.component), action.fixed_version
        if fixed is None:
            continue
        kind = action.component.removeprefix("pkg:").partition("/")[0]
        ours, known = key(kind, fixed), key(kind, found[place]) if place in found else None
        if place not in found or (ours is not None and known is not None and ours > known):
            found[place] = fixed
    return {action.id: found[action.asset, action.component] for action in actions if action.fixed_version is not None}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("choose the day on which you plan it; it is written YYYY-MM-DD") from None


def _told(action: Action) -> dict[str, Any]:
    """An item of the feed. `minutes` is null: nobody measured it, and the hub does not guess (never 7)."""
    return {
        "id": action.id,
        "advisory": action.public_id,
        "title": action.title,
        "asset": action.asset_name,
        "component": action.component,
        "installed": action.installed_version,
        "fixed": action.fixed_version,
        "status": action.status,
        "why": action.why,
        "reasons": action.reasons,
        "due_on": action.due_on,
        "outcome": action.outcome,
        "minutes": None,
        "receipt": action.receipt,
        "planned_for": action.planned_for,
        "told_at": action.told_at,
        "received_at": action.received_at,
        "planned_at": action.planned_at,
        "installed_at": action.installed_at,
    }


PAGES = (todo, todo_feed, receipt, inventory)
