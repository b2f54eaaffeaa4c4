# SPDX-License-Identifier: Apache-2.0
"""Unpacking where it can do no harm: a stranger's archive goes into the box, and a checked tree of plain files comes out.

Inside, the box's own interpreter runs unpack.py with all its refusals. Outside, only a tar that our own stage wrote is read: plain files
with checked names, bounded once more.
"""

import secrets
from pathlib import Path

import clearwell
from clearwell.proving import unpack
from clearwell.proving.contract import Limits, Spec
from clearwell.proving.sandbox import Sandbox
from clearwell.vocabulary.errors import Invalid, Unavailable

LIMITS = Limits(
    wall_seconds=120, cpu_seconds=120, memory_bytes=3 << 30, processes=16, space_bytes=1 << 30, inodes=130_000, file_bytes=900 << 20
)
_REFUSED = 3
_CODE = (
    "__init__.py",
    "proving/__init__.py",
    "proving/unpack.py",
    "proving/parts.py",
    "proving/patches.py",
    "vocabulary/__init__.py",
    "vocabulary/errors.py",
)
_SCRIPT = f"""
import sys
sys.path.insert(0, "/box/code")
from pathlib import Path
from clearwell.proving.parts import members
from clearwell.proving.unpack import write
from clearwell.vocabulary.errors import Invalid
try:
    write(members(Path("/box/input"), sys.argv[1]), Path("/box/build"), strip=sys.argv[2] == "strip")
except Invalid as refused:
    sys.stderr.write(str(refused)[:2000])
    sys.exit({_REFUSED})
"""


def unpack_inside(sandbox: Sandbox, archive: Path, kind: str, into: Path, *, strip: bool) -> None:
    """Unpack an archive in the box into `into`, which must be new. Raises Invalid for what unpack.py refuses or a limit ended."""
    own = Path(clearwell.__file__).parent
    into.parent.mkdir(parents=True, exist_ok=True)
    tar = into.with_name(f".{into.name}.{secrets.token_hex(4)}.tar")
    tar.touch(mode=0o600)
    archive.chmod(0o644)  # the box's nobody reads it; folders that are private stay so
    spec = Spec(
        argv=("/usr/bin/python3", "-I", "-S", "-B", "-c", _SCRIPT, kind, "strip" if strip else "whole"),
        binds=((archive, "/box/input"),),
        files={f"/box/code/clearwell/{name}": (own / name).read_bytes() for name in _CODE},
        writable=("/box/build", "/box/root", "/tmp", "/dev/shm"),  # noqa: S108 - paths in the box
        collect=(),
        limits=LIMITS,
        harvest="/box/build",
        harvest_to=tar,
    )
    try:
        result = sandbox.run(spec)
        said = result.stderr.decode("utf-8", "replace").strip()
        if result.exit == _REFUSED and not result.killed:
            raise Invalid(said)
        if result.killed:
            raise Invalid(f"the archive cannot be unpacked within bounds: it hit the limit {result.killed}")
        if result.exit != 0:
            raise Unavailable(f"the archive could not be unpacked in the box: {said[-300:] or 'its interpreter said nothing'}")
        unpack.unpack(tar, ".tar", into, strip=False, bounds=unpack.Bounds(total_bytes=1 << 30, file_bytes=512 << 20))
    finally:
        tar.unlink(missing_ok=True)
