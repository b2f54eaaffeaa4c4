# SPDX-License-Identifier: Apache-2.0
"""Speaking to a hub's API from the command line: its address, the token, and its problems as errors of ours."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import httpx
import msgspec

from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid, NotFound, Refused, TooLate, Unavailable
from clearwell.vocabulary.outside import visible

KINDS: dict[int, type[ClearwellError]] = {
    400: Invalid, 401: Refused, 403: Refused, 404: NotFound, 405: Invalid, 408: Unavailable, 409: Conflict, 410: TooLate, 413: Invalid,
    429: Unavailable, 503: Unavailable,
}  # fmt: skip
"""HTTP status -> kind of error, so that exit codes are the same wherever a verb runs."""
DEFAULT_URL = "http://127.0.0.1:8000"


Said = str | int | tuple[str, ...] | None
Query = dict[str, Said]
"""What is asked beside the path; a word with several values is said once for each, None is left out."""


class ComeBack(Unavailable):
    """The hub takes it later: after so many `seconds`."""

    def __init__(self, said: str, seconds: int) -> None:
        super().__init__(said)
        self.seconds = seconds


class Cut(Unavailable):
    """The connection was cut, or there was none: nobody knows whether the hub got it. What is sent again is no second one."""


class Hub:
    """A hub, as its API answers to one token."""

    def __init__(self, url: str, token: str | None, transport: httpx.BaseTransport | None = None) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise Invalid(f"{url!r} is not a hub's address; write for example {DEFAULT_URL}")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(60.0, connect=10.0, write=60.0)
        self._client = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *reason: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Said) -> Any:
        """GET a path; return the decoded answer. Raises the error that the hub's problem stands for."""
        return self._send("GET", path, params=_stated(query))

    def post(self, path: str, body: Any = None, key: str | None = None, **query: Said) -> Any:
        """POST a JSON body, or none; `key` is an idempotency key."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        if body is None:
            return self._send("POST", path, params=_stated(query), headers=headers)
        return self._send("POST", path, content=msgspec.json.encode(body), headers={"Content-Type": "application/json"})

    def upload(self, path: str, pieces: Iterable[bytes], size: int, **query: Said) -> Any:
        """POST bytes as they are read; `size` is how many there are. An upload's piece (`offset`) is PUT."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return self._send("PUT" if "offset" in query else "POST", path, params=_stated(query), content=iter(pieces), headers=headers)

    def pages(self, path: str, field: str, **query: Said) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        while True:
            page = self.get(path, **query)
            yield from page[field]
            if page.get("next") is None:
                return
            query["after"] = page["next"]

    def _send(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as reason:
            raise Cut(f"the hub at {self._client.base_url.host} does not answer ({type(reason).__name__}); is --url right?") from None
        if answer.is_success:
            return msgspec.json.decode(answer.content)
        if answer.status_code in {429, 503}:
            later = answer.headers.get("retry-after", "")
            raise ComeBack(f"{_detail(answer)} (HTTP {answer.status_code})", int(later) if later.isascii() and later.isdecimal() else 60)
        raise KINDS.get(answer.status_code, Unavailable)(f"{_detail(answer)} (HTTP {answer.status_code})")


def _stated(query: dict[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {name: value if isinstance(value, tuple) else str(value) for name, value in query.items() if value is not None}


def _detail(answer: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "the hub's answer is no problem document; is this address a Clearwell hub?"
    return visible(str(said.get("detail") or said.get("title") or "the hub did not say why"))[:2_000]


def hub_options(command: Any) -> Any:
    """Add `--url` and `--token-file` to a command."""
    command = click.option("--token-file", type=click.Path(path_type=Path), help="A file that holds the token; else CLEARWELL_TOKEN.")(
        command
    )
    return click.option("--url", envvar="CLEARWELL_URL", default=DEFAULT_URL, show_default=True, help="The hub (CLEARWELL_URL).")(command)


def connect(url: str, token_file: Path | None) -> Hub:
    """Open a hub with the token of the file or of CLEARWELL_TOKEN; raise Invalid without one."""
    return Hub(url, read_token(token_file))


def read_token(token_file: Path | None) -> str:
    """The token of the file or of the environment; a token is never an argument, which other users could see."""
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as reason:
            raise Invalid(f"{token_file} cannot be read: {getattr(reason, 'strerror', None) or 'it is not text'}") from None
    else:
        token = os.environ.get("CLEARWELL_TOKEN", "").strip()
    if not token or not token.isascii() or not token.isprintable() or len(token) > 200:
        raise Invalid("a service token is needed: set CLEARWELL_TOKEN, or name a file with --token-file")
    return token
