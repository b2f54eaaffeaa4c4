# SPDX-License-Identifier: Apache-2.0
"""The seam to isolation as a contract: what a run is asked for (Spec), what it tells (Result), and what a backend must be."""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from clearwell.vocabulary.errors import Unavailable

Strength = Literal["enforced", "watched", "none"]

MANDATORY = (
    "network",
    "capabilities",
    "user_namespace",
    "pid_namespace",
    "nested_namespaces",
    "seccomp",
    "host_files",
    "wall_clock",
    "output_bytes",
    "temporary_space",
)
"""Limits without which nothing runs; `memory`, `processes`, `cpu` and `file_size` may be watched instead of enforced."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one run: seconds and bytes."""

    wall_seconds: float = 20.0
    cpu_seconds: float = 30.0
    memory_bytes: int = 1 << 30
    processes: int = 64
    space_bytes: int = 64 << 20
    inodes: int = 8192
    file_bytes: int = 64 << 20
    stdout_bytes: int = 8 << 20
    stderr_bytes: int = 2 << 20
    stack_bytes: int = 8 << 20


class Server(msgspec.Struct, frozen=True):
    """A canned loopback server: one answer to whatever is asked."""

    port: int
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


class Spec(msgspec.Struct, frozen=True):
    """What to run in which box. `binds` are (host path, path in the box), read-only; `files` are given literally."""

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    binds: tuple[tuple[Path, str], ...] = ()
    files: dict[str, bytes] = {}
    symlinks: tuple[tuple[str, str], ...] = ()
    stdin: Path | None = None
    writable: tuple[str, ...] = ("/box/root", "/box/out", "/tmp", "/dev/shm")  # noqa: S108 - paths in the box
    collect: tuple[str, ...] = ("/box/out",)
    cwd: str = "/box/root"
    servers: tuple[Server, ...] = ()
    limits: Limits = Limits()
    harvest: str | None = None
    harvest_to: Path | None = None


class Entry(msgspec.Struct, frozen=True):
    """Something that the target left in a collected folder; links are described, never followed."""

    path: str
    kind: Literal["file", "folder", "link", "other"]
    size: int
    content: bytes = b""


class Received(msgspec.Struct, frozen=True):
    """What one connection to a server of the harness sent, at most 64 KB."""

    port: int
    received: bytes

    @property
    def path(self) -> str:
        """The request target of the first line, or an empty text."""
        words = self.received.split(b"\r\n", 1)[0].split(b" ")
        return words[1].decode("latin-1") if len(words) == 3 else ""


class Result(msgspec.Struct, frozen=True):
    """What a run did. `exit` is negative for a signal; `killed` names the limit that ended it, or is None.

    `ways_tried` counts the attempts to reach the canary outside from inside, before and after; `ways_out` are those that got there.
    """

    exit: int
    killed: str | None
    stdout: bytes
    stderr: bytes
    said: bytes
    wall_seconds: float
    cpu_seconds: float | None
    memory_peak: int | None
    is_out_of_memory: bool
    files: dict[str, tuple[Entry, ...]]
    requests: tuple[Received, ...]
    isolation: dict[str, Strength]
    backend: str = "bubblewrap"
    ways_tried: int = 0
    ways_out: tuple[str, ...] = ()

    @property
    def signal(self) -> int | None:
        """The signal that ended the target (bubblewrap passes 128 + n on), or None."""
        if self.exit < 0:
            return -self.exit
        return self.exit - 128 if 128 < self.exit < 160 else None


class Escaped(Unavailable):
    """A run's word arrived outside its box: the run is void, and nothing more may run here until a person has looked."""


class Backend(Protocol):
    """One way to isolate. A backend is one file; `Sandbox` checks of each result what no backend may leave out."""

    @property
    def name(self) -> str:
        """What the setting and the verdict call it."""

    def run(self, spec: Spec) -> Result:
        """Run to the end or to a limit; raise Unavailable when the box could not be built. Never runs anything less."""

    def close(self) -> None:
        """End what the backend keeps going between runs."""
