# SPDX-License-Identifier: Apache-2.0
"""No route is unguarded: each names its act, turns away visitors and tokens without the permission, and is written down."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from api import Api
from clearwell.faces.asgi import build_app
from clearwell.ground.identity.actor import OrganizationKind, Permission
from clearwell.ground.policy.policy import Act, Subject

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
PUBLIC = {
    "GET /api/v1/advisories",
    "GET /api/v1/advisories/{document}",
    "GET /api/v1/health",
    "GET /api/v1/ledger/key",
    "GET /feed/{name}",
    "HEAD /feed/{name}",
    "GET /ledger/{name}",
    "HEAD /ledger/{name}",
}
SCHEMA = {"GET /api/v1/openapi.json"}
BY_LINK = {
    "GET /api/v1/maintainer/{secret}",
    "POST /api/v1/maintainer/{secret}/code",
    "POST /api/v1/maintainer/{secret}/statements",
    "POST /api/v1/maintainer/{secret}/patches",
}


def routes(app: Litestar) -> Iterator[tuple[str, str, Any]]:
    """Method, path with {names} and handler of every route that is not a page."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(("/api/", "/feed/", "/ledger/")):
            continue
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods):
                if method != "OPTIONS":
                    yield method, re.sub(r":[a-z]+\}", "}", route.path), handler


def every(app: Litestar) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in routes(app) if f"{method} {path}" not in SCHEMA]


def ask(api: Api, method: str, path: str, secret: str | None) -> int:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    filled = re.sub(r"\{[a-z_]+\}", "x", path.replace("{number}", "1"))
    return api.client.request(method, filled, headers=headers, content=b"{}" if method in {"POST", "PUT"} else None).status_code


def test_every_route_names_its_act(api: Api) -> None:
    unnamed = [f"{method} {path}" for method, path, handler in routes(api.client.app) if not isinstance(handler.opt.get("act"), Act)]

    assert set(unnamed) == SCHEMA


def test_every_route_is_public_by_link_or_turns_visitors_away(api: Api) -> None:
    open_to_visitors = {f"{method} {path}" for method, path in every(api.client.app) if ask(api, method, path, None) != 401}

    assert open_to_visitors == PUBLIC | BY_LINK


def test_every_route_that_is_not_public_turns_away_a_token_without_the_permission(api: Api) -> None:
    powerless = api.caller(OrganizationKind.COORDINATOR, permissions=())
    assert powerless.secret is not None

    let_in = {f"{method} {path}" for method, path in every(api.client.app) if ask(api, method, path, powerless.secret) != 403}

    assert let_in == PUBLIC | BY_LINK


@pytest.mark.parametrize("kind", list(OrganizationKind))
def test_a_kind_of_organization_is_let_in_only_where_the_policy_lets_it(api: Api, kind: OrganizationKind) -> None:
    caller = api.caller(kind)
    house, member = api.hub.house, caller.member
    assert caller.secret is not None and member is not None

    for method, path, handler in routes(api.client.app):
        if f"{method} {path}" in PUBLIC | BY_LINK | SCHEMA:
            continue
        act = handler.opt["act"]
        allowed = house.policy.allows(member, act, Subject(organization=member.organization))
        assert (ask(api, method, path, caller.secret) != 403) == allowed or path.endswith("/tempo"), (kind, method, path)


def test_a_token_of_another_permission_changes_nothing(api: Api) -> None:
    reader = api.caller(OrganizationKind.LAB, permissions=(Permission.READ,))

    reader.submit(b"{}", expect=403)
    reader.post("/contacts", {}, expect=403)


def test_a_link_that_does_not_exist_opens_nothing(api: Api) -> None:
    for line in sorted(BY_LINK):
        method, path = line.split()
        assert ask(api, method, path, None) == 404


def test_an_expired_token_is_nobodys(api: Api) -> None:
    lab = api.caller(OrganizationKind.LAB)
    lab.get("/submissions")

    api.hub.clock.move(days=301)

    assert lab.get("/submissions", 401)["status"] == 401


def test_the_reference_lists_every_route_and_no_other(api: Api) -> None:
    written = set(re.findall(r"^\| `((?:GET|POST|PUT) /[^`?]*)", REFERENCE.read_text(), re.MULTILINE))

    served = {f"{method} {path}" for method, path, _ in routes(api.client.app) if method != "HEAD"}
    assert {line.strip() for line in written} == served


def test_the_schema_names_every_route_of_the_api_with_its_problems(api: Api) -> None:
    schema = api.visitor.get("/openapi.json")

    described = {f"{method.upper()} {path}" for path, item in schema["paths"].items() for method in item}
    served = {f"{method} {path}" for method, path, _ in routes(api.client.app) if path.startswith("/api/")} - SCHEMA
    assert schema["openapi"].startswith("3.1") and described == served
    for item in schema["paths"].values():
        for operation in item.values():
            assert {"400", "403", "404", "503"} <= set(operation["responses"]), operation["operationId"]


def test_building_twice_gives_the_same_routes(api: Api) -> None:
    assert sorted(every(build_app(api.hub.house))) == sorted(every(api.client.app))
