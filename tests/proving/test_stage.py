# SPDX-License-Identifier: Apache-2.0
"""The fork that stands ready for the next run: it serves one run, goes when its stage goes, and is replaced when it is lost."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clearwell.proving.sandbox import Sandbox, Spec
from clearwell.proving.staged import Staged

TRUE = Spec(argv=("/usr/bin/true",))


@pytest.fixture
def staged(sandbox: Sandbox) -> Iterator[Staged]:
    """A backend of our own, whose stage has run once."""
    opened = Staged("bubblewrap")
    assert opened.run(TRUE).exit == 0
    yield opened
    opened.close()


def _until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _understudy(staged: Staged) -> int:
    """The one fork that waits once a run is cleared away, in a network of its own."""
    stage = staged._stage
    assert stage is not None

    def waits() -> int | None:
        children = [child for child in _children(stage.pid) if not _is_gone(child)]
        try:
            networks = {Path(f"/proc/{pid}/ns/net").readlink() for pid in (stage.pid, *children)}
        except OSError:  # the last run's is just leaving
            return None
        return children[0] if len(children) == 1 and len(networks) == 2 else None

    return int(_until(waits))


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@pytest.mark.sandbox
def test_each_run_has_a_fork_of_its_own(staged):
    first = _understudy(staged)
    assert staged.run(TRUE).exit == 0
    _until(lambda: _is_gone(first))
    assert _understudy(staged) != first


@pytest.mark.sandbox
def test_the_fork_that_waits_goes_with_its_stage_however_that_ends(staged):
    waiting = _understudy(staged)
    os.kill(staged._stage.pid, signal.SIGKILL)
    _until(lambda: _is_gone(waiting))
    assert staged.run(TRUE).exit == 0


@pytest.mark.sandbox
def test_a_fork_that_was_killed_while_it_waited_is_replaced(staged):
    waiting = _understudy(staged)
    os.kill(waiting, signal.SIGKILL)
    _until(lambda: _is_gone(waiting))
    assert staged.run(TRUE).exit == 0


@pytest.mark.sandbox
def test_what_is_mounted_after_the_fork_was_made_can_be_bound(staged, tmp_path):
    # given a fork that waits, and a folder that comes to be only now
    _understudy(staged)
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "word").write_text("here")
    result = staged.run(Spec(argv=("/bin/cat", "/box/build/word"), binds=((tmp_path / "late", "/box/build"),)))
    assert result.stdout == b"here"
