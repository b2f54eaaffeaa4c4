# SPDX-License-Identifier: Apache-2.0
"""Scratch: folders for the time of one run. They hold strangers' bytes, so what a killed process left behind is removed by the next."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clearwell.proving.archives import cache_folder


@contextlib.contextmanager
def scratch(cache: Path | None = None) -> Iterator[Path]:
    """A folder of our own beneath the cache, readable by nobody else, gone at the end; first, sweep what dead owners left there.

    The owner is told by a lock on the folder, which the kernel lets go of when a process ends however it ends: a number of a process may
    be given again, and means nothing to another container that shares the cache.
    """
    base = (cache or cache_folder()) / "scratch"
    base.mkdir(parents=True, exist_ok=True)
    sweep(base)
    place, held = _locked(base)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(held)


def sweep(base: Path) -> int:
    """Remove the folders whose owners are dead; return how many."""
    removed = 0
    for left in base.iterdir():
        held = _open(left)
        if held is None:
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its owner lives
        else:
            shutil.rmtree(left, ignore_errors=True)
            removed += 1
        finally:
            os.close(held)
    return removed


def _locked(base: Path) -> tuple[Path, int]:
    """Make a folder and lock it; a sweep may come in between and take it for a dead one's, so look whether it is still there."""
    while True:
        place = Path(tempfile.mkdtemp(dir=base))
        held = _open(place)
        if held is None:
            continue
        fcntl.flock(held, fcntl.LOCK_EX)
        if place.exists():
            return place, held
        os.close(held)


def _open(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
