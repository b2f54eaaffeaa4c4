# SPDX-License-Identifier: Apache-2.0
"""What a test needs from the machine: a test whose mark names something that is not here is skipped, and says why.

Also: how parameters are named, and how long examples may take.
"""

import functools
import shutil
from collections.abc import Callable

import pytest
from hypothesis import settings

from clearwell.proving.archives import Registry
from clearwell.proving.probe import probe
from clearwell.vocabulary.errors import ClearwellError

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
"""No deadline: the machine is shared, and time is measured by bench/, not by chance."""


@functools.cache
def _no_sandbox() -> str | None:
    found = probe()
    return None if found.is_usable else f"sandbox: {found.reason}"


@functools.cache
def _no_archives() -> str | None:
    registry = Registry()
    try:
        registry.fetch("pkg:npm/minimist@1.2.5")
    except ClearwellError as error:
        return f"registry: {error}"
    finally:
        registry.close()
    return None


@functools.cache
def _no_browser() -> str | None:
    return None if shutil.which("chromium") else "browser: chromium is not installed (make test installs it)"


NEEDS: dict[str, Callable[[], str | None]] = {"sandbox": _no_sandbox, "registry": _no_archives, "browser": _no_browser}
"""Mark -> a probe, tried once per process, that says what is missing."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose needs are not met."""
    for mark, missing in NEEDS.items():
        if item.get_closest_marker(mark) is not None and (reason := missing()):
            pytest.skip(reason)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes that are no short text by their parameter: an archive with a time in it is named otherwise in each process."""
    return argname if isinstance(val, bytes) and (len(val) > 60 or not val.isascii() or not val.decode().isprintable()) else None
