# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the faces: a hub behind its API."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import uvicorn
from click.testing import CliRunner, Result

from api import Api, Caller, speak
from clearwell.faces.asgi import build_app
from clearwell.faces.cli import root
from clearwell.faces.cli.serve import listen
from clearwell.ground.settings import Settings
from clearwell.vocabulary.errors import ClearwellError
from hub import Hub

Run = Callable[..., Result]


@pytest.fixture
def make_api(make_hub: Callable[..., Hub]) -> Iterator[Callable[..., Api]]:
    """Make hubs behind their API; keyword arguments are settings."""
    with ExitStack() as stack:

        def make(**settings: object) -> Api:
            api = speak(make_hub(**settings))
            stack.enter_context(api.client)
            return api

        yield make


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """A hub behind its API."""
    return make_api()


@pytest.fixture
def address(api: Api) -> Iterator[str]:
    """The hub on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(build_app(api.hub.house), log_config=None, log_level="critical", ws="none"))
    with listen(Settings(port=0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def run(address: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as a caller."""
    monkeypatch.setenv("CLEARWELL_URL", address)
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(caller: Caller | None, *words: str) -> Result:
        monkeypatch.setenv("CLEARWELL_TOKEN", (caller and caller.secret) or "")
        result = CliRunner().invoke(root, list(words))
        if isinstance(result.exception, ClearwellError):
            raise result.exception
        return result

    return invoke
