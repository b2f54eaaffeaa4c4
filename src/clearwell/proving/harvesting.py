# SPDX-License-Identifier: Apache-2.0
"""What a build left, packed as plain files. Standard library only: the stage imports it, for a build alone."""

import os
import stat
import tarfile
from typing import IO


def harvest(folder: str, descriptor: int, most: int) -> bool:
    """Write what a build left as a tar of plain files; a link inside the folder becomes a copy, any other is left out.

    False, and nothing is kept, when the files hold more than `most` bytes: holes, and links to one file, take no space in the box, and
    all of it outside.
    """
    with os.fdopen(descriptor, "wb") as stream:
        is_whole = _packed(os.path.realpath(folder), stream, most)
        if not is_whole:
            stream.truncate(0)
        return is_whole


def _packed(top: str, stream: IO[bytes], most: int) -> bool:
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for place, _, files in os.walk(top, followlinks=False):
            for name in sorted(files):
                path = f"{place}/{name}"
                real = os.path.realpath(path)
                try:
                    status = os.lstat(real)
                except OSError:
                    continue
                if not real.startswith(f"{top}/") or not stat.S_ISREG(status.st_mode):
                    continue
                most -= status.st_size
                if most < 0:
                    return False
                member = tarfile.TarInfo(path[len(top) + 1 :])
                member.size = status.st_size
                member.mode = 0o755 if status.st_mode & 0o111 else 0o644
                with open(real, "rb") as content:
                    archive.addfile(member, content)
    return True
