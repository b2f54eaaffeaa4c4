# SPDX-License-Identifier: Apache-2.0
"""No verb and no route is unguarded: each asks the policy before it changes anything, and each refuses who may not."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any, get_type_hints

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from clearwell.clearinghouse.case.participant import StatementKind
from clearwell.clearinghouse.case.store import Contact
from clearwell.clearinghouse.flow import coordinating
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.faces.api import PATH
from clearwell.faces.asgi import build_app
from clearwell.faces.web.visit import SESSION
from clearwell.ground.identity.actor import Actor, LinkHolder, Member, OrganizationKind, Permission, System, Visitor
from clearwell.ground.identity.members import issue_token, open_session
from clearwell.ground.policy.policy import Act
from clearwell.ground.storage.embedded import OWNER
from clearwell.vocabulary.errors import NotFound, Refused
from clearwell.vocabulary.ids import CaseId, LinkId, OrganizationId, ParticipantId, PersonId, TokenId
from ground.storage.snapshot import populate
from house.rows import database_of, rows
from house.verbs import Verb, verbs
from hub import Hub

NO_QUESTION = {
    "maintaining.open_link": "finds out who a link makes one; what it opens asks",
    "ordering.proving_settings": "reads the settings",
    "ordering.is_drawn": "draws a lot",
    "ordering.waits_for_another": "looks at the clock and the known workers",
    "evidence.seal_evidence": "hashes bytes that were handed to it",
    "maintaining.read_link": "finds out who a link makes one; what it opens asks",
}
"""Verbs that ask nothing, and why that is right."""
PUBLIC_VERBS = {"publishing.list_advisories", "publishing.read_advisory", "publishing.read_by_id"}
OWN_ROWS = {"overview.read_overview", "overview.read_scorecard", "reporting.my_participations", "reporting.list_submissions"}
"""Verbs that every member may call: they show its own organization's rows, here none."""
STRANGER = LinkHolder(LinkId("link_x"), CaseId("case_x"), ParticipantId("part_x"), frozenset({"make_statement", "claim_fix"}))
VERBS = {f"{verb.module}.{verb.name}": verb for verb in verbs() if not verb.name.startswith("_")}


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(".")
    found = getattr(import_module(f"clearwell.clearinghouse.flow.{module}"), function)
    assert callable(found)
    return found


def _takes_transaction(name: str) -> bool:
    return "tx" in inspect.signature(_function(name)).parameters


def _asks(verb: Verb) -> bool:
    """It asks itself, or the first verb that it calls does."""
    if verb.asks_at is not None:
        return True
    called = [name.rpartition(".")[2] for name, _ in verb.calls]
    return any(other.asks_at is not None and other.name in called for other in VERBS.values())


@pytest.mark.parametrize("name", sorted(name for name in VERBS if not _takes_transaction(name)))
def test_every_verb_asks_the_policy_before_it_changes_anything(name: str) -> None:
    verb = VERBS[name]
    if name in NO_QUESTION:
        assert not verb.has_transaction or verb.changes_at is None
        return

    assert _asks(verb), f"{name} asks nothing; say in NO_QUESTION why that is right"
    if verb.asks_at is not None and verb.changes_at is not None and not name.startswith("maintaining."):
        assert verb.asks_at < verb.changes_at, f"{name} changes something on line {verb.changes_at} and asks on line {verb.asks_at}"


def test_what_changes_through_an_open_transaction_is_called_by_verbs_alone() -> None:
    parts = {verb.name for name, verb in VERBS.items() if _takes_transaction(name)}

    assert parts  # the functions that verbs share take the verb's own transaction: they open none
    assert [verb.name for verb in VERBS.values() if verb.name in parts and verb.has_transaction] == []


def _wrong_actors(hub: Hub, kind: Any) -> tuple[Actor, ...]:
    """Actors of the verb's own type who may not: strangers, tokens for nothing, an auditor."""
    members = tuple(
        Member(PersonId("person_x"), OrganizationId("org_x"), kind, frozenset())
        for kind in (OrganizationKind.LAB, OrganizationKind.COORDINATOR)
    )
    if kind is Member:
        return (*members, hub.member(OrganizationKind.AUDITOR))
    return (Visitor(), System("system:stranger"), STRANGER, *members, hub.member(OrganizationKind.AUDITOR))


def _value(hub: Hub, name: str, kind: Any) -> Any:
    """Something of a parameter's type that is well formed."""
    text = str(kind)
    made: dict[str, Any] = {
        "contact": Contact("pkg:npm/x", "x", "a@example.org", "registry", 2),
        "envelope": Envelope(name="x"),
        "kind": StatementKind.QUESTION if hasattr(StatementKind, "QUESTION") else next(iter(StatementKind)),
        "pieces": [b"x"],
        "aliases": ("CVE-2024-12345",),
        "finding_ids": (hub.house.new_id("finding"),),
        "file_name": "requirements.txt",
        "data": b"a==1\n",
        "exposed": "unknown",
        "until": datetime(2026, 12, 1, tzinfo=UTC),
        "receipt": "received",
    }
    if name in made:
        return made[name]
    if kind is bool:
        return True
    if kind is int:
        return 1
    if kind is bytes:
        return b"x"
    if kind is date:
        return date(2026, 12, 1)
    same = ("case", "finding", "fix", "proposal", "link", "action", "proof")
    prefix = {**dict(zip(same, same, strict=True)), "into": "case", "submission": "sub"}
    for word, spelled in prefix.items():
        if word in name or word in text.lower():
            return hub.house.new_id(spelled)
    return "x"


def test_every_verb_refuses_who_may_not(hub: Hub) -> None:
    let_in = []
    for name in sorted(VERBS):
        verb = _function(name)
        parameters, hints = inspect.signature(verb).parameters, get_type_hints(verb)
        if "actor" not in parameters or "tx" in parameters or name in PUBLIC_VERBS or hints["actor"] is LinkHolder:
            continue
        required = [p.name for p in parameters.values() if p.default is p.empty and p.name not in {"house", "actor"}]
        given = {name: _value(hub, name, hints[name]) for name in required}
        for actor in _wrong_actors(hub, hints["actor"]):
            try:
                verb(hub.house, actor, **given)
            except (Refused, NotFound):
                continue
            if not (isinstance(actor, Member) and actor.permissions and name in OWN_ROWS):
                let_in.append((name, actor))

    assert let_in == []


# -- routes -------------------------------------------------------------------------------------------------------------


def _routes(app: Litestar) -> list[tuple[str, str, Any]]:
    return [
        (method, route.path, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS"
    ]


SOME_CASE = "case_01jd0000000000000000000000"


def _address(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", lambda found: SOME_CASE if "id" in found[1] else "x", path)


@pytest.fixture
def client(hub: Hub) -> Any:
    """A client of the whole server, which answers to its host."""
    with TestClient(build_app(hub.house), base_url="http://127.0.0.1:8000") as client:
        yield client


OPEN = {"/sign-in", "/sign-out", "/static", "/health", "/openapi.json", "/ledger", "/advisories", "/feed", "/favicon.ico", "/robots.txt"}


def _is_schema(path: str) -> bool:
    """The description of the API itself, which is public."""
    return path == PATH or path.startswith((f"{PATH}/openapi", f"{PATH}/{{path:"))


def _is_public(path: str, handler: Any) -> bool:
    return handler.opt.get("act") is Act.READ_PUBLIC or any(path == one or path.startswith(f"{one}/") for one in OPEN)


def test_every_route_of_the_api_names_its_act(hub: Hub) -> None:
    unnamed = [
        (method, path)
        for method, path, handler in _routes(build_app(hub.house))
        if path.startswith("/api/") and not isinstance(handler.opt.get("act"), Act) and not _is_schema(path)
    ]

    assert unnamed == []


def test_every_route_turns_away_who_is_nobody(hub: Hub, client: Any) -> None:
    let_in = []
    for method, path, handler in _routes(build_app(hub.house)):
        if _is_public(path, handler) or _is_schema(path):
            continue
        answer = client.request(method, _address(path), follow_redirects=False)
        turned_away = answer.status_code in {400, 401, 403, 404, 405} or (
            answer.status_code == 303 and "/sign-in" in answer.headers["location"]
        )
        if not turned_away:
            let_in.append((method, path, answer.status_code))

    assert let_in == []


def test_every_route_turns_away_a_token_that_is_for_nothing(hub: Hub, client: Any) -> None:
    auditor = hub.member(OrganizationKind.AUDITOR)
    with hub.house.transaction(auditor) as tx:
        token = issue_token(tx, TokenId(hub.house.new_id("token")), auditor, "a test", (), hub.clock.now(), 1)
    let_in = []
    for method, path, handler in _routes(build_app(hub.house)):
        if not path.startswith("/api/") or _is_public(path, handler) or _is_schema(path):
            continue
        answer = client.request(method, _address(path), headers={"Authorization": f"Bearer {token}"})
        if answer.status_code not in {400, 401, 403, 404}:
            let_in.append((method, path, answer.status_code))

    assert let_in == []


def test_a_get_route_changes_nothing(server: Any, hub: Hub, client: Any) -> None:
    populate(hub)
    coordinator = hub.member(OrganizationKind.COORDINATOR)
    with hub.house.transaction(coordinator) as tx:
        token = issue_token(tx, TokenId(hub.house.new_id("token")), coordinator, "a test", Permission, hub.clock.now(), 1)
        session = open_session(tx, coordinator.person, hub.clock.now(), 1)
    case = coordinating.list_cases(hub.house, coordinator)[0].id
    client.cookies.set(SESSION, session)
    before = rows(server.url(OWNER, database_of(hub)))

    answered = []
    for method, path, _ in _routes(build_app(hub.house)):
        if method == "GET" and "secret" not in path:
            answer = client.get(
                _address(path).replace(SOME_CASE, case), headers={"Authorization": f"Bearer {token}"}, follow_redirects=False
            )
            answered.append(answer.status_code)
            assert answer.status_code < 500, path

    assert answered.count(200) > 8
    assert rows(server.url(OWNER, database_of(hub))) == before
