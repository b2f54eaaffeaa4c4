# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the faces: a hub behind its API."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from api import Api, speak
from hub import Hub


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
