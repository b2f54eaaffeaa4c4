# SPDX-License-Identifier: Apache-2.0
"""A client for pages without a browser: signed in as somebody, it sends a page's forms with that page's token."""

import re
from typing import Any

from httpx import Response
from litestar.testing import TestClient

from browser.scene import Scene
from clearwell.faces.asgi import build_app
from clearwell.ground.identity.actor import Member


class Client:
    """One browser's worth of cookies; it follows nothing by itself. `with` it."""

    def __init__(self, scene: Scene, member: Member | None = None) -> None:
        self.http: TestClient[Any] = TestClient(build_app(scene.house), base_url="http://127.0.0.1", raise_server_exceptions=False)
        self.http.follow_redirects = False
        self._scene = scene
        if member is not None:
            self.become(member)

    def become(self, member: Member) -> None:
        """Go on as another member."""
        self.http.cookies.set("clearwell_session", self._scene.session(member))

    def __enter__(self) -> "Client":
        self.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__(None, None, None)

    def get(self, path: str) -> Response:
        """Open a page."""
        return self.http.get(path, headers={"accept": "text/html"})

    def post(self, path: str, page: str, files: dict[str, tuple[str, bytes]] | None = None, **form: Any) -> Response:
        """Send a form to `path` with the token that stands on `page`."""
        return self.http.post(path, data={"csrf": token_of(self.get(page).text), **form}, files=files)


def token_of(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found is not None, page
    return found[1]
