# SPDX-License-Identifier: Apache-2.0
"""The stage: a small process of ours that builds the box around one run and watches it. Standard library only.

It is started once (`python -I -S`), reads requests on stdin and forks for each: the fork leaves root, takes its own user, mount and
network namespaces, mounts one bounded tmpfs, serves the harness's servers and starts bubblewrap, whose target lives in yet another
pid namespace: the target can neither see nor signal the stage. When our reader goes away, the stage kills the run and leaves.
"""

import base64
import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import selectors
import signal
import socket
import stat
import struct
import sys
import tarfile
import time
import traceback
from pathlib import Path
from typing import Any

from clearwell.proving import cgroups
from clearwell.proving.loopback import Loopback

NOBODY = 65534
_NEWNS, _NEWUSER, _NEWNET = 0x20000, 0x10000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_ENTRIES_MAX = 4096
_BUILD_SECONDS = 30.0
_libc = ctypes.CDLL(None, use_errno=True)

Message = dict[str, Any]


def main() -> None:
    """Serve requests, one at a time, until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if "settle" in sys.argv:
        cgroups.settle()
    cgroups.sweep()
    while (request := _receive()) is not None:
        _serve(request)


def _receive() -> Message | None:
    head = _read_exactly(4)
    if head is None:
        return None
    body = _read_exactly(struct.unpack("!I", head)[0])
    return None if body is None else json.loads(body)


def _read_exactly(size: int) -> bytes | None:
    parts = []
    while size:
        chunk = os.read(0, min(size, 1 << 20))
        if not chunk:
            return None
        parts.append(chunk)
        size -= len(chunk)
    return b"".join(parts)


def _send(message: Message) -> None:
    body = json.dumps(message).encode()
    data = memoryview(struct.pack("!I", len(body)) + body)
    while data:
        data = data[os.write(1, data) :]


def _serve(request: Message) -> None:
    limits = request["limits"]
    group = cgroups.make(limits["memory_bytes"], limits["processes"]) if request["cgroup"] else cgroups.Group()
    answer, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        _child(request, group, report)
    os.close(report)
    body, watch = [], os.pidfd_open(pid)
    poll = select.poll()
    for descriptor in (0, answer, watch):
        poll.register(descriptor, select.POLLIN)
    is_open = True
    while is_open:
        for descriptor, _ in poll.poll():
            if descriptor == answer:
                chunk = os.read(answer, 1 << 20)
                body.append(chunk)
                is_open = bool(chunk)
            elif descriptor == watch:
                poll.unregister(watch)
            elif descriptor == 0:  # nobody sends while a run is on: our reader is gone
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                group.remove()
                os._exit(1)
    os.close(answer)
    os.close(watch)
    os.waitpid(pid, 0)
    raw = b"".join(body)
    message: Message = json.loads(raw) if raw else {"error": "the stage died"}
    message["out_of_memory"] = group.has_run_out_of_memory()
    message["memory_peak"] = group.memory_peak()
    group.remove()
    message["by_cgroup"] = {"memory": group.memory is not None, "processes": group.processes is not None, "cpu": group.cpu is not None}
    _send(message)


def _child(request: Message, group: cgroups.Group, report: int) -> None:
    try:
        try:
            message = Run(request, group).result()
        except OSError as error:
            message = {"error": f"the box could not be built: {error}"}
        body = memoryview(json.dumps(message).encode())
        while body:
            body = body[os.write(report, body) :]
    finally:  # whatever happens, a fork never goes back into the loop that serves
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        os._exit(0)


class Run:
    """One run: build the box, start bubblewrap, watch, collect. Lives in a fork of its own and ends with it."""

    def __init__(self, request: Message, group: cgroups.Group) -> None:
        self.request, self.group, self.limits = request, group, request["limits"]
        self.selector = selectors.DefaultSelector()
        self.killed: str | None = None
        self.streams: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray(), "said": bytearray(), "info": bytearray()}
        self.caps = {"stdout": self.limits["stdout_bytes"], "stderr": self.limits["stderr_bytes"], "said": 256, "info": 4096}
        self.box_pid, self.box, self.began = 0, -1, 0.0
        self.is_watching = group.memory is None or group.processes is None or group.cpu is None
        self.sampled_cpu = 0.0

    def result(self) -> Message:
        """Run to the end and tell everything."""
        standard_input = os.open(self.request["stdin"] or "/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        joins = self.group.procs()
        harvest = os.open(self.request["harvest_to"], os.O_WRONLY | os.O_CLOEXEC) if self.request["harvest"] else -1
        self._leave_the_host()
        # Opened in the new mount namespace (mounts of another cannot be bound), but before anything is covered.
        sources = [(os.open(source, os.O_PATH | os.O_CLOEXEC), target) for source, target in self.request["binds"]]
        binds = self._furnish(sources)
        loopback = Loopback(self.request["servers"], self.selector)
        started = time.monotonic()
        pid, pipes = self._start(binds, standard_input, joins)
        for name, descriptor in pipes.items():
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, (name, descriptor, None))
        status = self._watch(pid, loopback, started)
        wall = time.monotonic() - (self.began or started)
        self._drain("info", pipes["info"])  # a short run may end before its first words are read
        self._empty_the_box()
        for name, descriptor in pipes.items():
            self._drain(name, descriptor)
        requests = loopback.close()
        if harvest >= 0:
            _harvest(Path(self._writable(self.request["harvest"])), harvest)
        return {
            "started": bool(self.box_pid),
            "exit": os.waitstatus_to_exitcode(status),
            "killed": self.killed,
            "wall": wall,
            "cpu": self.group.cpu_seconds() if self.group.cpu is not None else self.sampled_cpu,
            "files": {place: _collect(Path(self._writable(place)), self.request["collect_bytes"]) for place in self.request["collect"]},
            "requests": [{"port": r["port"], "received": _text(r["received"])} for r in requests],
            **{name: _text(bytes(self.streams[name])) for name in ("stdout", "stderr", "said")},
        }

    def _leave_the_host(self) -> None:
        """Own mount and network namespaces under an unprivileged user; root's way differs only in the order."""
        if os.geteuid() == 0:
            _check(_libc.unshare(_NEWNS), "unshare mounts")
            self._mount_space(NOBODY)
        else:
            user, group = os.geteuid(), os.getegid()
            _check(_libc.unshare(_NEWUSER | _NEWNS | _NEWNET), "unshare user, mounts and network")
            _map_to_root(user, group)
            self._mount_space(0)

    def _mount_space(self, owner: int) -> None:
        _mount(None, "/", None, _MS_REC | _MS_PRIVATE, None)
        inodes = self.limits["inodes"] + 64 + 2 * len(self.request["binds"])
        options = f"size={self.limits['space_bytes']},nr_inodes={inodes},mode=0755"
        self.space = "/tmp"  # noqa: S108 - covered by our own tmpfs, in our own mount namespace
        self._owner = owner
        self._options = options

    def _furnish(self, sources: list[tuple[int, str]]) -> list[tuple[str, str, str]]:
        """Mount the tmpfs, bind the sources into it, make the writable folders; return bubblewrap's (option, from, to)."""
        _mount("tmpfs", self.space, "tmpfs", _MS_NOSUID | _MS_NODEV, self._options)
        binds = []
        for number, (descriptor, target) in enumerate(sources):
            place = f"{self.space}/s{number}"
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                Path(place).mkdir()
            else:
                Path(place).touch()
            _mount(f"/proc/self/fd/{descriptor}", place, None, _MS_BIND | _MS_REC, None)
            os.close(descriptor)
            binds.append(("--ro-bind", place, target))
        for number, (target, content) in enumerate(self.request["files"].items()):
            place = f"{self.space}/f{number}"
            Path(place).write_bytes(base64.b64decode(content))
            Path(place).chmod(0o444)
            binds.append(("--ro-bind", place, target))
        for target in self.request["writable"]:
            place = self._writable(target)
            Path(place).mkdir(mode=0o755)
            os.chown(place, self._owner, self._owner)
            binds.append(("--bind", place, target))
        if os.geteuid() == 0 and self._owner == NOBODY:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
            _check(_libc.unshare(_NEWUSER | _NEWNET), "unshare user and network")
            _map_to_root(NOBODY, NOBODY)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _raise_loopback()
        return binds

    def _writable(self, target: str) -> str:
        return f"{self.space}/w{self.request['writable'].index(target)}"

    def _start(self, binds: list[tuple[str, str, str]], standard_input: int, joins: list[int]) -> tuple[int, dict[str, int]]:
        pipes, ends = {}, {}
        for name in ("stdout", "stderr", "said", "info"):
            pipes[name], ends[name] = os.pipe()
        filter_file = os.memfd_create("seccomp")
        os.write(filter_file, base64.b64decode(self.request["seccomp"]))
        os.lseek(filter_file, 0, os.SEEK_SET)
        command = self._bubblewrap(binds)
        pid = os.fork()
        if pid == 0:
            try:
                for descriptor in joins:
                    os.write(descriptor, b"0")
                _limit(self.limits)
                # Lift every descriptor above the numbers that we are about to fill.
                high = [fcntl.fcntl(d, fcntl.F_DUPFD, 20) for d in (standard_input, ends["stdout"], ends["stderr"], ends["said"])]
                high += [fcntl.fcntl(d, fcntl.F_DUPFD, 20) for d in (ends["info"], filter_file)]
                for number, descriptor in enumerate(high):
                    os.dup2(descriptor, number)
                os.closerange(6, 4096)
                os.execve(command[0], command, {"PATH": "/usr/bin:/bin"})  # noqa: S606 - a vector of ours
            except OSError as error:
                os.write(2, f"stage: {error}\n".encode())
            finally:
                os._exit(125)
        for descriptor in (*ends.values(), filter_file, standard_input, *joins):
            os.close(descriptor)
        return pid, pipes

    def _bubblewrap(self, binds: list[tuple[str, str, str]]) -> list[str]:
        request = self.request
        command = [request["bubblewrap"], "--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--disable-userns"]
        command += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--hostname", "box", "--cap-drop", "ALL"]
        command += ["--die-with-parent", "--new-session", "--info-fd", "4", "--seccomp", "5", "--clearenv"]
        for name, value in request["env"].items():
            command += ["--setenv", name, value]
        command += ["--proc", "/proc", "--dev", "/dev"]
        for link, target in request["symlinks"]:
            command += ["--symlink", link, target]
        for bind in binds:
            command += bind
        # bubblewrap's own first process would be without the filter and, being the same user's, writable through /proc/1/mem: a shell
        # takes its place, beneath the filter like everything else. It passes 128 + n on for a signal, as bubblewrap does.
        command += ["--as-pid-1", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", request["cwd"], "--"]
        command += ["/bin/sh", "-c", '"$@"; exit $?', "sh", *request["argv"]]
        return command

    def _watch(self, pid: int, loopback: Loopback, started: float) -> int:
        done = os.pidfd_open(pid)
        self.selector.register(done, selectors.EVENT_READ, ("done", done, None))
        # The target's clock starts with its box: on a busy machine, building that takes a while.
        deadline = started + _BUILD_SECONDS
        next_look = started + 0.02
        try:
            while True:
                now = time.monotonic()
                if now >= deadline:
                    self._kill(pid, "wall_clock")
                if now >= next_look and self.killed is None:
                    self._look(pid)
                    next_look = now + (0.01 if self.is_watching else 0.05)
                timeout = max(0.0, min(deadline, next_look) - time.monotonic()) if self.killed is None else 1.0
                for key, _ in self.selector.select(timeout):
                    name, thing, extra = key.data
                    if name == "done":
                        return os.waitpid(pid, 0)[1]
                    if name in self.streams:
                        self._drain(name, thing)
                        if name == "info" and self.box_pid and not self.began:
                            self.began = time.monotonic()
                            deadline = self.began + self.limits["wall_seconds"]
                    else:
                        loopback.ready(name, thing, extra)
                if any(len(self.streams[n]) > self.caps[n] for n in ("stdout", "stderr", "said")):
                    self._kill(pid, "output_bytes")
        finally:
            self.selector.unregister(done)
            os.close(done)

    def _drain(self, name: str, descriptor: int) -> None:
        kept = self.streams[name]
        while True:
            try:
                chunk = os.read(descriptor, 65536)
            except BlockingIOError:
                return
            if not chunk:
                with contextlib.suppress(KeyError, ValueError):
                    self.selector.unregister(descriptor)
                return
            kept += chunk
            if name == "info" and not self.box_pid:
                with contextlib.suppress(ValueError, ProcessLookupError):
                    self.box_pid = int(json.loads(kept)["child-pid"])
                    self.box = os.pidfd_open(self.box_pid)
            if len(kept) > self.caps[name]:
                del kept[self.caps[name] + 1 :]
                return

    def _look(self, pid: int) -> None:
        """What no kernel limit covers is looked at: CPU of the whole tree; memory and processes where no group limits them."""
        used = self.group.cpu_seconds()
        if used is not None and used > self.limits["cpu_seconds"]:
            self._kill(pid, "cpu")
        if not self.is_watching or not self.box_pid:
            return
        resident, count, used = _tree(self.box_pid)
        self.sampled_cpu = max(self.sampled_cpu, used)
        if self.sampled_cpu > self.limits["cpu_seconds"]:
            self._kill(pid, "cpu")
        elif resident > self.limits["memory_bytes"]:
            self._kill(pid, "memory")
        elif count > self.limits["processes"]:
            self._kill(pid, "processes")

    def _kill(self, pid: int, reason: str) -> None:
        self.killed = self.killed or reason
        # The box's first process takes its whole pid namespace along; bubblewrap's outer one follows.
        with contextlib.suppress(ProcessLookupError):
            if self.box >= 0:
                signal.pidfd_send_signal(self.box, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)

    def _empty_the_box(self) -> None:
        """Return only when every process of the box is dead: what daemons would still write is then not collected half-way.

        The first process of a pid namespace ends last, after the kernel has killed and reaped all others in it.
        """
        if self.box < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.box, signal.SIGKILL)
        poll = select.poll()
        poll.register(self.box, select.POLLIN)
        if not poll.poll(5000):
            raise TimeoutError("the box did not die")


def _limit(limits: Message) -> None:
    cpu = int(limits["cpu_seconds"]) + 1
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_NPROC, limits["processes"] + 8),
        (resource.RLIMIT_MEMLOCK, 1 << 16),
    ):
        resource.setrlimit(kind, (value, value))


def _tree(pid: int) -> tuple[int, int, float]:
    """Resident bytes, number and CPU seconds (children that were waited for included) of the processes below `pid` and itself."""
    page, tick = resource.getpagesize(), os.sysconf("SC_CLK_TCK")
    resident, count, ticks, todo = 0, 0, 0, [pid]
    while todo and count < 4096:
        one = todo.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            resident += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page
            count += 1
            # Fields 14 to 17 of proc_pid_stat(5); the name before them may hold blanks and brackets.
            ticks += sum(int(field) for field in Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:15])
            for task in Path(f"/proc/{one}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
    return resident, count, ticks / tick


def _collect(folder: Path, budget: int) -> list[Message]:
    """Describe every entry beneath `folder` without following a link; contents up to the budget."""
    found: list[Message] = []
    for place, folders, files in os.walk(folder, followlinks=False):
        for name in sorted([*files, *folders]):
            if len(found) >= _ENTRIES_MAX:
                return found
            path = Path(place) / name
            try:
                mode = path.lstat().st_mode
            except OSError:  # a name too long to be looked at is still something that was written
                found.append({"path": name[:200], "kind": "other", "content": "", "size": 0})
                continue
            kind = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"
            shown = os.fsencode(path.relative_to(folder)).decode("utf-8", "backslashreplace")
            entry: Message = {"path": shown, "kind": kind, "content": ""}
            entry["size"] = path.lstat().st_size
            if kind == "file" and budget > 0:
                try:
                    with path.open("rb") as stream:
                        content = stream.read(min(budget, 1 << 20))
                except OSError:
                    content = b""
                budget -= len(content)
                entry["content"] = _text(content)
            found.append(entry)
    return found


def _harvest(folder: Path, descriptor: int) -> None:
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


def _map_to_root(user: int, group: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None) -> None:
    encode = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _check(_libc.mount(encode[0], encode[1], encode[2], ctypes.c_ulong(flags), encode[3]), f"mount {target}")


def _check(answer: int, what: str) -> None:
    if answer != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
    sys.exit(0)
