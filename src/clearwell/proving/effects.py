# SPDX-License-Identifier: Apache-2.0
"""Reading what a run left behind: entries described without following a link. Standard library only: the stage imports it."""

import base64
import os
import stat
from typing import Any

_ENTRIES_MAX = 16_384
"""More than the files that a box may hold (Limits.inodes), so that no effect hides behind others."""


def collect(folder: str, budget: int) -> list[dict[str, Any]]:
    """Describe every entry beneath `folder` without following a link; contents up to the budget, in bytes."""
    found: list[dict[str, Any]] = []
    for place, folders, files in os.walk(folder, followlinks=False):
        for name in sorted([*files, *folders]):
            if len(found) >= _ENTRIES_MAX:
                return found
            path = f"{place}/{name}"
            try:
                status = os.lstat(path)
            except OSError:  # a name too long to be looked at is still something that was written
                found.append({"path": name[:200], "kind": "other", "content": "", "size": 0})
                continue
            kind = _kind(status.st_mode)
            shown = os.fsencode(path[len(folder) + 1 :]).decode("utf-8", "backslashreplace")
            content = _head(path, min(budget, 1 << 20)) if kind == "file" and budget > 0 else b""
            budget -= len(content)
            found.append({"path": shown, "kind": kind, "size": status.st_size, "content": base64.b64encode(content).decode()})
    return found


def _kind(mode: int) -> str:
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"


def _head(path: str, size: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(size)
