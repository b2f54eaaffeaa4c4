# SPDX-License-Identifier: Apache-2.0
"""Reading what a run left behind: entries described without following a link, a build packed as plain files. Standard library only."""

import base64
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

_ENTRIES_MAX = 4096


def collect(folder: Path, budget: int) -> list[dict[str, Any]]:
    """Describe every entry beneath `folder` without following a link; contents up to the budget, in bytes."""
    found: list[dict[str, Any]] = []
    for place, folders, files in os.walk(folder, followlinks=False):
        for name in sorted([*files, *folders]):
            if len(found) >= _ENTRIES_MAX:
                return found
            path = Path(place) / name
            try:
                status = path.lstat()
            except OSError:  # a name too long to be looked at is still something that was written
                found.append({"path": name[:200], "kind": "other", "content": "", "size": 0})
                continue
            kind = _kind(status.st_mode)
            shown = os.fsencode(path.relative_to(folder)).decode("utf-8", "backslashreplace")
            content = _head(path, min(budget, 1 << 20)) if kind == "file" and budget > 0 else b""
            budget -= len(content)
            found.append({"path": shown, "kind": kind, "size": status.st_size, "content": base64.b64encode(content).decode()})
    return found


def harvest(folder: Path, descriptor: int) -> None:
    """Write what a build left as a tar of plain files; a link inside the folder becomes a copy, any other is left out."""
    top = folder.resolve()
    with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for place, _, files in os.walk(top, followlinks=False):
            for name in sorted(files):
                path = Path(place) / name
                real = path.resolve()
                if not real.is_relative_to(top) or not stat.S_ISREG(real.lstat().st_mode if real.exists() else 0):
                    continue
                member = tarfile.TarInfo(str(path.relative_to(top)))
                member.size = real.stat().st_size
                member.mode = 0o755 if real.stat().st_mode & 0o111 else 0o644
                with real.open("rb") as content:
                    archive.addfile(member, content)


def _kind(mode: int) -> str:
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"


def _head(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""
