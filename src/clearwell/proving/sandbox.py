# SPDX-License-Identifier: Apache-2.0
"""The one seam to isolation: `Sandbox.run(spec) -> result` and `probe()`. Backend: bubblewrap (PROOF.md, the box)."""

import base64
import contextlib
import functools
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

import clearwell
from clearwell.proving import cgroups
from clearwell.proving.seccomp import compiled_filter
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

_RUNTIME = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/openssl.cnf")
_ETC_JAVA = "java-*-openjdk"  # a JDK of Debian's keeps its security settings there
_PASSWD = b"root:x:0:0:root:/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/box/root:/usr/sbin/nologin\n"
_HOSTS = b"127.0.0.1 localhost box\n"
_SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--")
_LAUNCH = "import sys; sys.path.append(sys.argv[1]); from clearwell.proving.stage import main; main()"


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
    """What a run did. `exit` is negative for a signal; `killed` names the limit that ended it, or is None."""

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

    @property
    def signal(self) -> int | None:
        """The signal that ended the target (bubblewrap passes 128 + n on), or None."""
        if self.exit < 0:
            return -self.exit
        return self.exit - 128 if 128 < self.exit < 160 else None


class Sandbox:
    """Runs specs one at a time in bubblewrap, through a stage process that is started once. Use it as a context manager.

    Several threads may share one: their runs queue up. Raises Unavailable where the box cannot be built; never runs anything less.
    """

    def __init__(self, *, use_cgroups: bool = True) -> None:
        self._lock = threading.Lock()
        self._stage: subprocess.Popen[bytes] | None = None
        self._use_cgroups = use_cgroups

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stage; a run that is on dies with it."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        stage, self._stage = self._stage, None
        if stage is not None and stage.stdin is not None and stage.stdout is not None:
            with contextlib.suppress(BrokenPipeError):
                stage.stdin.close()
            try:
                stage.wait(5)
            except subprocess.TimeoutExpired:
                stage.kill()
                stage.wait()
            stage.stdout.close()

    def run(self, spec: Spec) -> Result:
        """Run to the end or to a limit and return what happened; raise Unavailable when the box could not be built."""
        request = _request(spec, self._use_cgroups)
        with self._lock:
            try:
                answer = self._exchange(request)
            except BaseException:
                self._stop()  # an interrupted exchange would hand its answer to the next caller
                raise
        if "error" in answer:
            raise Unavailable(f"the sandbox cannot be used: {answer['error']}")
        result = _result(answer)
        if not answer["started"]:
            said = result.stderr.decode("utf-8", "replace").strip()[:300]
            raise Unavailable(f"bubblewrap could not build the box: {said or 'it said nothing'}")
        return result

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._stage is None or self._stage.poll() is not None:
            self._stop()
            self._stage = _launch(in_scope=self._use_cgroups and has_scope())
        assert self._stage.stdin is not None
        assert self._stage.stdout is not None
        body = json.dumps(request).encode()
        try:
            self._stage.stdin.write(struct.pack("!I", len(body)) + body)
            self._stage.stdin.flush()
            head = self._stage.stdout.read(4)
            answer = self._stage.stdout.read(struct.unpack("!I", head)[0])
        except (BrokenPipeError, struct.error) as error:
            raise Unavailable("the sandbox's stage process died; run `clearwell prove` again and see its error output") from error
        decoded: dict[str, Any] = json.loads(answer)
        return decoded


def _launch(*, in_scope: bool) -> subprocess.Popen[bytes]:
    source = str(Path(clearwell.__file__).resolve().parent.parent)
    command = [sys.executable, "-I", "-S", "-c", _LAUNCH, source]
    env = {"PATH": "/usr/bin:/bin"}
    if in_scope:
        # The user's service manager hands a control group of our own over, where this process alone could not make one.
        command = [*_SCOPE, *command, "settle"]
        env |= {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if name in os.environ}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd="/")


@functools.cache
def has_scope() -> bool:
    """True where control groups cannot be made directly, but a systemd scope can be had; found out by trying."""
    if cgroups.can_limit() or shutil.which(_SCOPE[0]) is None or "XDG_RUNTIME_DIR" not in os.environ:
        return False
    try:
        return subprocess.run([*_SCOPE, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _request(spec: Spec, use_cgroups: bool) -> dict[str, Any]:
    binds = [(str(path), path) for path in _ETC if Path(path).exists()]
    binds += [(str(path), str(path)) for path in sorted(Path("/etc").glob(_ETC_JAVA)) if path.is_dir()]
    symlinks = []
    for path in _RUNTIME:
        if Path(path).is_symlink():
            symlinks.append((str(Path(path).readlink()), path))
        elif Path(path).is_dir():
            binds.append((path, path))
    binds += [(str(path.resolve()), target) for path, target in spec.binds]
    files = {"/etc/passwd": _PASSWD, "/etc/hosts": _HOSTS, "/etc/group": b"nogroup:x:65534:\n", "/etc/nsswitch.conf": b"hosts: files\n"}
    files |= spec.files
    return {
        "argv": [_program(spec.argv[0]), *spec.argv[1:]],
        "env": spec.env,
        "binds": binds,
        "symlinks": [*symlinks, *spec.symlinks],
        "files": {path: base64.b64encode(content).decode() for path, content in files.items()},
        "stdin": str(spec.stdin.resolve()) if spec.stdin else None,
        "writable": list(spec.writable),
        "collect": list(spec.collect),
        "collect_bytes": 4 << 20,
        "cwd": spec.cwd,
        "servers": [msgspec.to_builtins(server) for server in spec.servers],
        "limits": msgspec.to_builtins(spec.limits),
        "harvest": spec.harvest,
        "harvest_to": str(spec.harvest_to) if spec.harvest_to else None,
        "seccomp": base64.b64encode(compiled_filter()).decode(),
        "bubblewrap": bubblewrap(),
        "cgroup": use_cgroups,
    }


def _program(name: str) -> str:
    """A path, so that the box's first process never takes a name for one of its own commands."""
    return name if "/" in name else shutil.which(name, path="/usr/bin:/bin") or f"/usr/bin/{name}"


def _result(answer: dict[str, Any]) -> Result:
    grouped = answer["by_cgroup"]
    isolation: dict[str, Strength] = dict.fromkeys(MANDATORY, "enforced")
    isolation["memory"] = "enforced" if grouped["memory"] else "watched"
    isolation["processes"] = "enforced" if grouped["processes"] else "watched"
    isolation["cpu"] = "enforced" if grouped["cpu"] else "watched"
    isolation["file_size"] = "enforced"
    killed = answer["killed"]
    if answer["out_of_memory"]:
        killed = killed or "memory"
    return Result(
        exit=answer["exit"],
        killed=killed,
        stdout=base64.b64decode(answer["stdout"]),
        stderr=base64.b64decode(answer["stderr"]),
        said=base64.b64decode(answer["said"]),
        wall_seconds=answer["wall"],
        cpu_seconds=answer["cpu"],
        memory_peak=answer["memory_peak"],
        is_out_of_memory=answer["out_of_memory"],
        files={
            place: tuple(Entry(e["path"], e["kind"], e["size"], base64.b64decode(e["content"])) for e in entries)
            for place, entries in answer["files"].items()
        },
        requests=tuple(Received(r["port"], base64.b64decode(r["received"])) for r in answer["requests"]),
        isolation=isolation,
    )


@functools.cache
def bubblewrap() -> str:
    """Return the absolute path of bubblewrap; raise Unavailable off Linux or without it."""
    if not sys.platform.startswith("linux"):
        raise Unavailable("proofs run only on Linux: there is no sandbox for this system yet")
    found = shutil.which("bwrap", path=os.environ.get("PATH", "") + os.pathsep + "/usr/bin")
    if found is None:
        raise Unavailable("bubblewrap is missing: install the package `bubblewrap` (on Debian: apt install bubblewrap)")
    return str(Path(found).resolve())
