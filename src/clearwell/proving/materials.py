# SPDX-License-Identifier: Apache-2.0
"""The bill of materials of this machine as a proof sees it: kernel, sandbox, compilers and interpreters, each by version and hash."""

import functools
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import msgspec

from clearwell.proving.environments import libasan, toolchain

_TOOLS = ("gcc", "g++", "make", "python3", "node", "java", "javac", "go", "rustc", "cmake", "meson", "ninja", "bwrap", "runsc")


class Tool(msgspec.Struct, frozen=True):
    """One program or library of the runtime: where it is, the hash of its file, and the package that brought it (where known)."""

    name: str
    path: str
    sha256: str
    package: str | None = None


class Materials(msgspec.Struct, frozen=True):
    """What a run stood on besides the archives, the proof and the harness."""

    kernel: str
    machine: str
    system: str
    backend: str
    toolchain: str
    tools: tuple[Tool, ...]


@functools.cache
def materials(backend: str) -> Materials:
    """Look at this machine once: programs and runtime libraries with their hashes and packages."""
    found = {name: shutil.which(name, path="/usr/bin:/bin:/usr/sbin") for name in _TOOLS}
    paths = {name: Path(path).resolve() for name, path in found.items() if path}
    paths |= {path.name: path for path in (Path(libasan() or "/nonexistent"), _libc()) if path.is_file()}
    owners = _owners(tuple(str(path) for path in paths.values()))
    tools = [Tool(name, str(path), _sha256(path), owners.get(str(path))) for name, path in sorted(paths.items())]
    return Materials(os.uname().release, platform.machine(), _system(), backend, toolchain(), tuple(tools))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _libc() -> Path:
    return next((p for p in (Path(f"/lib/{platform.machine()}-linux-gnu/libc.so.6"), Path("/lib64/libc.so.6")) if p.is_file()), Path("/"))


def _system() -> str:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.system()
    return next((line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")), platform.system())


def _owners(paths: tuple[str, ...]) -> dict[str, str]:
    """Debian's packages of these files with their versions; empty where there is no dpkg."""
    query = shutil.which("dpkg-query", path="/usr/bin")
    if query is None:
        return {}
    names: dict[str, str] = {}
    for path in paths:
        # Debian's own list may spell a path without /usr: both lead to the same file.
        for spelled in (path, path.removeprefix("/usr")):
            done = subprocess.run([query, "-S", spelled], capture_output=True, text=True, timeout=20, check=False)
            if done.returncode == 0:
                names[path] = done.stdout.partition(": ")[0].split(", ")[0]
                break
    if not names:
        return {}
    listed = subprocess.run(
        [query, "-W", "-f", "${binary:Package} ${Version}\\n", *sorted(set(names.values()))],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    versions = dict(line.split(" ", 1) for line in listed.stdout.splitlines() if " " in line)
    plain = {name.partition(":")[0]: version for name, version in versions.items()}
    return {path: f"{name} {versions.get(name) or plain.get(name.partition(':')[0], '?')}" for path, name in names.items()}
