# SPDX-License-Identifier: Apache-2.0
"""The backends of this machine, bubblewrap and gVisor: both are started, watched and bounded by one stage process (stage.py)."""

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
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

import clearwell
from clearwell.proving import bubblewrap, cgroups, gvisor
from clearwell.proving.box import SAID
from clearwell.proving.contract import MANDATORY, Entry, Received, Result, Spec, Strength
from clearwell.proving.seccomp import as_oci, compiled_filter
from clearwell.vocabulary.errors import Unavailable

_RUNTIME = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/openssl.cnf")
_ETC_JAVA = "java-*-openjdk"  # a JDK of Debian's keeps its security settings there
_COVERED = ("/usr/lib/debug",)
"""Left out of the runtime: with the debugging symbols of the machine's own libraries, a sanitizer reads all of them for every report
(three times the work), and what it prints of frames outside the project depends on the machine."""
_PASSWD = b"root:x:0:0:root:/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/box/root:/usr/sbin/nologin\n"
_FILES = {
    "/etc/passwd": _PASSWD,
    "/etc/hosts": b"127.0.0.1 localhost box\n",
    "/etc/group": b"nogroup:x:65534:\n",
    "/etc/nsswitch.conf": b"hosts: files\n",
}
_SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--")
_LAUNCH = "import sys; sys.path.append(sys.argv[1]); from clearwell.proving.stage import main; main()"


class Staged:
    """A backend whose runs go through a stage process that is started once; several threads may share it, their runs queue up."""

    def __init__(self, name: str, *, use_cgroups: bool = True, launch: str = _LAUNCH) -> None:
        self.name = name
        self._program = PROGRAMS[name]
        self._builder: Any = {"bubblewrap": bubblewrap, "gvisor": gvisor}[name]
        self._lock = threading.Lock()
        self._stage: subprocess.Popen[bytes] | None = None
        self._use_cgroups, self._code = use_cgroups, launch

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
        request = self._request(spec)
        with self._lock:
            try:
                answer = self._exchange(request)
            except BaseException:
                self._stop()  # an interrupted exchange would hand its answer to the next caller
                raise
        if "error" in answer:
            raise Unavailable(f"the sandbox cannot be used: {answer['error']}")
        result = _result(answer, self.name)
        if not answer["started"]:
            said = result.stderr.decode("utf-8", "replace").strip()[:300]
            raise Unavailable(f"{self.name} could not build the box: {said or 'it said nothing'}")
        return result

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._stage is None or self._stage.poll() is not None:
            self._stop()
            self._stage = self._launch(in_scope=self._use_cgroups and has_scope())
        assert self._stage.stdin is not None
        assert self._stage.stdout is not None
        limits = request["limits"]
        head = {
            "cgroup": self._use_cgroups,
            "memory_bytes": limits["memory_bytes"] + self._builder.OVERHEAD_BYTES,
            "processes": limits["processes"] + self._builder.OVERHEAD_PROCESSES,
        }
        try:
            for part in (json.dumps(head).encode(), json.dumps(request).encode()):
                self._stage.stdin.write(struct.pack("!I", len(part)) + part)
            self._stage.stdin.flush()
            told, seen = _read_part(self._stage.stdout), _read_part(self._stage.stdout)
        except (BrokenPipeError, struct.error) as error:
            raise Unavailable("the sandbox's stage process died; run `clearwell prove` again and see its error output") from error
        decoded: dict[str, Any] = json.loads(told) | json.loads(seen)  # what is seen from outside comes last
        return decoded

    def _launch(self, *, in_scope: bool) -> subprocess.Popen[bytes]:
        source = str(Path(clearwell.__file__).resolve().parent.parent)
        command = [sys.executable, "-I", "-S", "-c", self._code, source]
        env = {"PATH": "/usr/bin:/bin"}
        if in_scope:
            # The user's service manager hands a control group of our own over, where this process alone could not make one.
            command = [*_SCOPE, *command, "settle"]
            env |= {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if name in os.environ}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd="/")

    def _request(self, spec: Spec) -> dict[str, Any]:
        binds, symlinks = _runtime()
        binds = [*binds, *((str(path.absolute()), target) for path, target in spec.binds)]
        writable = [*spec.writable, SAID] if self.name == "gvisor" else list(spec.writable)
        return {
            "backend": self.name,
            "program": self._program(),
            "argv": [_program(spec.argv[0]), *spec.argv[1:]],
            "env": spec.env,
            "binds": binds,
            "symlinks": [*symlinks, *spec.symlinks],
            "covered": [path for path in _COVERED if Path(path).is_dir()],
            "files": {path: base64.b64encode(content).decode() for path, content in (_FILES | spec.files).items()},
            "stdin": str(spec.stdin.absolute()) if spec.stdin else None,
            "writable": writable,
            "collect": list(spec.collect),
            "collect_bytes": 4 << 20,
            "cwd": spec.cwd,
            "servers": [msgspec.to_builtins(server) for server in spec.servers],
            "limits": msgspec.to_builtins(spec.limits),
            "grace_seconds": self._builder.GRACE_SECONDS,
            "harvest": spec.harvest,
            "harvest_to": str(spec.harvest_to) if spec.harvest_to else None,
            "seccomp": _encoded_filter() if self.name == "bubblewrap" else "",
            "oci_seccomp": as_oci() if self.name == "gvisor" else {},
        }


def _read_part(stream: IO[bytes]) -> bytes:
    size = struct.unpack("!I", stream.read(4))[0]
    return stream.read(size)


@functools.cache
def has_scope() -> bool:
    """True where control groups cannot be made directly, but a systemd scope can be had; found out by trying."""
    if cgroups.can_limit() or shutil.which(_SCOPE[0]) is None or "XDG_RUNTIME_DIR" not in os.environ:
        return False
    try:
        return subprocess.run([*_SCOPE, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@functools.cache
def _runtime() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The runtime that a box is given, and nothing else of the machine: binds and links."""
    binds = [(path, path) for path in _ETC if Path(path).exists()]
    binds += [(str(path), str(path)) for path in sorted(Path("/etc").glob(_ETC_JAVA)) if path.is_dir()]
    links = []
    for path in _RUNTIME:
        if Path(path).is_symlink():
            links.append((str(Path(path).readlink()), path))
        elif Path(path).is_dir():
            binds.append((path, path))
    return binds, links


@functools.cache
def _encoded_filter() -> str:
    return base64.b64encode(compiled_filter()).decode()


def _program(name: str) -> str:
    """A path, so that the box's first process never takes a name for one of its own commands."""
    return name if "/" in name else shutil.which(name, path="/usr/bin:/bin") or f"/usr/bin/{name}"


def _result(answer: dict[str, Any], backend: str) -> Result:
    grouped = answer["by_cgroup"]
    isolation: dict[str, Strength] = dict.fromkeys(MANDATORY, "enforced")
    for name in ("memory", "processes", "cpu"):
        isolation[name] = "enforced" if grouped[name] else "watched"
    isolation["file_size"] = "enforced"
    killed = answer["killed"]
    if answer["out_of_memory"]:
        killed = killed or "memory"
    elif answer["out_of_processes"] and backend == "gvisor":
        killed = killed or "processes"  # runsc cannot go on without a thread, so its whole box ends
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
        backend=backend,
        ways_tried=answer["tried"],
        ways_out=tuple(answer["reached"]),
    )


def _require_linux() -> None:
    if not sys.platform.startswith("linux"):
        raise Unavailable("proofs run only on Linux: there is no sandbox for this system yet")


@functools.cache
def _bubblewrap() -> str:
    """Return the absolute path of bubblewrap; raise Unavailable off Linux or without it."""
    _require_linux()
    found = shutil.which("bwrap", path=os.environ.get("PATH", "") + os.pathsep + "/usr/bin")
    if found is None:
        raise Unavailable("bubblewrap is missing: install the package `bubblewrap` (on Debian: apt install bubblewrap)")
    return str(Path(found).resolve())


@functools.cache
def _runsc() -> str:
    """Return the absolute path of gVisor's runtime; raise Unavailable off Linux or without it."""
    _require_linux()
    found = shutil.which("runsc", path=os.environ.get("PATH", "") + os.pathsep + "/usr/bin")
    if found is None:
        raise Unavailable("gVisor is missing: install the package `runsc` (on Debian: apt install runsc)")
    return str(Path(found).resolve())


PROGRAMS: dict[str, Callable[[], str]] = {"bubblewrap": _bubblewrap, "gvisor": _runsc}
"""Backend -> what finds its program or says how to install it."""
