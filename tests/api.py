# SPDX-License-Identifier: Apache-2.0
"""Speaking to a hub's API in tests: an application on a test hub, one caller for each member, and reports to send."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar.testing import TestClient

from clearwell.faces.asgi import build_app
from clearwell.ground.identity.actor import IDENTITY, Member, OrganizationKind, Permission
from clearwell.ground.identity.members import issue_token
from clearwell.vocabulary.ids import TokenId
from hub import Hub

ADDRESS = "http://127.0.0.1:8000"
ALL = frozenset(Permission)


class Caller:
    """Somebody with a token (or without one) who calls the API. Each call names the status it expects."""

    def __init__(self, client: TestClient[Any], secret: str | None, member: Member | None = None) -> None:
        self.client, self.member, self.secret = client, member, secret
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def call(self, method: str, path: str, expect: int, **more: Any) -> Any:
        """Call and return the decoded answer, or its text where it is no JSON."""
        headers = {**self.headers, **more.pop("headers", {})}
        answer = self.client.request(method, path if path.startswith("/feed") else f"/api/v1{path}", headers=headers, **more)
        assert answer.status_code == expect, (method, path, answer.status_code, answer.text)
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def get(self, path: str, expect: int = 200, **query: Any) -> Any:
        return self.call("GET", path, expect, params=query)

    def post(self, path: str, body: Any = None, expect: int = 201) -> Any:
        return self.call("POST", path, expect, **({"json": body} if body is not None else {}))

    def submit(self, report: bytes, name: str = "report.json", expect: int = 202, **query: str) -> Any:
        return self.call("POST", "/submissions", expect, content=report, params={"name": name, **query})


class Api:
    """A hub behind its API."""

    def __init__(self, hub: Hub, client: TestClient[Any]) -> None:
        self.hub, self.client = hub, client
        self.visitor = Caller(client, None)

    def token(self, member: Member, permissions: Iterable[Permission] = ALL) -> str:
        """A token for a member."""
        house = self.hub.house
        with house.transaction(IDENTITY) as tx:
            return issue_token(tx, TokenId(house.new_id("token")), member, "a test", permissions, house.clock.now(), 300)

    def caller(self, kind: OrganizationKind, permissions: Iterable[Permission] = ALL, **facts: str) -> Caller:
        """A new member of a new organization, with a token."""
        member = self.hub.member(kind, **facts)
        return Caller(self.client, self.token(member, permissions), member)

    def colleague(self, caller: Caller) -> Caller:
        """A second person of the same organization, with a token."""
        assert caller.member is not None
        member = self.hub.colleague(caller.member)
        return Caller(self.client, self.token(member), member)


def speak(hub: Hub) -> Api:
    """An API over a hub; enter its `client` to start it."""
    return Api(hub, TestClient(build_app(hub.house), base_url=ADDRESS, raise_server_exceptions=False))


def finding(title: str = "A length is not checked", **more: Any) -> dict[str, Any]:
    """A finding about software that no registry of ours serves, so that nothing is fetched."""
    place = {"file": "src/frame.c", "line": 41, "function": "read_frame"}
    return {
        "title": title,
        "text": "what happens",
        "product": {"purl": "pkg:cargo/framer@1.2.0"},
        "weakness": "CWE-787",
        "locations": [place],
        **more,
    }


def report(*findings: dict[str, Any], model: str | None = "some-model-1") -> bytes:
    """A Clearwell report."""
    tool = {"name": "scout", "version": "3", **({"model": model} if model else {})}
    return msgspec.json.encode({"format": "clearwell-report", "version": 1, "tool": tool, "findings": list(findings)})


def inventory(version: str) -> bytes:
    """A CycloneDX inventory that names the same software."""
    component = {"type": "library", "name": "framer", "version": version, "purl": f"pkg:cargo/framer@{version}"}
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]}).encode()
