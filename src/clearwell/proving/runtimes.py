# SPDX-License-Identifier: Apache-2.0
"""The sanitizers' runtime libraries without their debugging information: what a box is given in place of the machine's own.

A report with names of functions is made inside the box, by the target's own process. gcc's runtime then reads all the debugging information
that it finds, most of it its own: six times the work of the run itself. Without it, the project's frames stay as they are, and those of
the runtime are shown by name and address.
"""

import functools
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from clearwell.proving.archives import write_whole

_LIBRARIES = ("libasan.so", "libubsan.so")


@functools.cache
def light_runtimes(cache: Path) -> tuple[tuple[Path, str], ...]:
    """Copies, kept by the hash of what they are made from, with the paths that they cover in the box; none without gcc and strip."""
    gcc, strip = (shutil.which(name, path="/usr/bin:/bin") for name in ("gcc", "strip"))
    if gcc is None or strip is None:
        return ()
    found = []
    for name in _LIBRARIES:
        told = subprocess.run([gcc, f"-print-file-name={name}"], capture_output=True, text=True, timeout=20, check=False).stdout.strip()
        library = Path(told).resolve()
        if not told.startswith("/") or not library.is_file():
            continue
        copy = cache / "runtimes" / f"{hashlib.sha256(library.read_bytes()).hexdigest()}.so"
        if copy.is_file() or _strip(strip, library, copy):
            found.append((copy, str(library)))
    return tuple(found)


def _strip(strip: str, library: Path, copy: Path) -> bool:
    with tempfile.TemporaryDirectory(prefix="clearwell-") as place:
        light = Path(place) / "light.so"
        done = subprocess.run([strip, "-o", str(light), str(library)], capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            return False
        write_whole(copy, light.read_bytes())
    copy.chmod(0o644)
    return True
