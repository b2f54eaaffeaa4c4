# SPDX-License-Identifier: Apache-2.0
"""A persona's view of the hub: the public HTTP API, with that persona's token and nothing else."""

from typing import Any

import httpx
import msgspec

from clearwell.vocabulary.errors import Conflict, Unavailable

_TRIES = 60
_PAUSE = 0.5
PREFIX = "/api/v1"


class Client:
    """Somebody at the API. `token` is None for who did not sign in. Raises Conflict for an answer that the exercise does not expect."""

    def __init__(self, http: httpx.Client, token: str | None, pause: Any) -> None:
        self._http, self._pause = http, pause
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **query: Any) -> Any:
        """A JSON document."""
        return msgspec.json.decode(self._ask("GET", f"{PREFIX}{path}", params=query).content)

    def raw(self, path: str) -> bytes:
        """A file's bytes, from the root of the site."""
        return self._ask("GET", path).content

    def status(self, path: str) -> int:
        """Only the status of a GET: what a persona is refused."""
        return self._send("GET", f"{PREFIX}{path}").status_code

    def post(self, path: str, body: Any = None, raw: bytes | None = None, key: str | None = None, **query: Any) -> Any:
        """Send JSON, or raw bytes; `key` is the idempotency key."""
        headers = {"Idempotency-Key": key} if key else {}
        sent = {"content": raw} if raw is not None else {"json": body} if body is not None else {}
        answer = self._ask("POST", f"{PREFIX}{path}", params=query, headers=headers, **sent)
        return msgspec.json.decode(answer.content) if answer.content else None

    def put(self, path: str, raw: bytes, **query: Any) -> Any:
        """Send raw bytes to take the place of what is there."""
        return msgspec.json.decode(self._ask("PUT", f"{PREFIX}{path}", params=query, content=raw).content)

    def pages(self, path: str, field: str, **query: Any) -> list[Any]:
        """All rows of a list, page by page."""
        rows: list[Any] = []
        after: Any = None
        while True:
            page = self.get(path, **{**query, **({"after": after} if after is not None else {})})
            rows += page[field]
            after = page.get("next")
            if after is None:
                return rows

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._send(method, path, **more)
        if answer.status_code >= 400:
            detail = msgspec.json.decode(answer.content).get("detail", "") if answer.content[:1] == b"{" else ""
            raise Conflict(f"{method} {_shown(path)}: {answer.status_code} {detail}")
        return answer

    def _send(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """Send, and again while the hub is not there: it may be starting, or starting again."""
        for _ in range(_TRIES):
            try:
                answer = self._http.request(method, path, headers={**self._headers, **(headers or {})}, **more)
            except httpx.TransportError:
                self._pause(_PAUSE)
                continue
            if answer.status_code != 503:
                return answer
            self._pause(_PAUSE)
        raise Unavailable(f"the hub does not answer ({method} {_shown(path)})")


def _shown(path: str) -> str:
    """A path without a maintainer's secret."""
    head, mark, rest = path.partition("/maintainer/")
    return f"{head}{mark}...{rest[rest.find('/') :] if '/' in rest else ''}" if mark else path
