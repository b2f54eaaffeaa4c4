# SPDX-License-Identifier: Apache-2.0
"""One run on the stage: lay the box's tree out, start the backend on it, watch, collect. Lives in a fork of its own and ends with it."""

import base64
import contextlib
import json
import os
import resource
import select
import selectors
import signal
import stat
import time
from collections.abc import Callable
from typing import Any

from clearwell.proving import bubblewrap, canary, cgroups, effects, gvisor, kernel
from clearwell.proving.loopback import Loopback

_BUILD_SECONDS = 30.0
_BUILDERS: dict[str, Any] = {"bubblewrap": bubblewrap, "gvisor": gvisor}
_SPACE = "/tmp"  # noqa: S108 - covered by a tmpfs of our own, in a mount namespace of our own
_TREE = f"{_SPACE}/tree"
SAID = "/box/.said"
"""Where a backend that cannot hand fd 3 on keeps what was said on it."""

Message = dict[str, Any]


class Run:
    """One run: made before anybody asked for one, so that it is at hand; `result` does everything that the request decides."""

    def __init__(self) -> None:
        """Leave the machine's mounts and network."""
        self.is_root = os.geteuid() == 0
        kernel.leave_the_host()
        kernel.raise_loopback()
        self.selector = selectors.DefaultSelector()
        self.killed: str | None = None
        self.streams: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray(), "said": bytearray(), "info": bytearray()}
        self.box_pid, self.box, self.began, self.go = 0, -1, 0.0, -1
        self.sampled_cpu = 0.0
        self.cpu_before = 0.0
        self.parents: set[str] = set()

    def result(self, request: Message, group: cgroups.Group, outside: list[list[Any]], word: str) -> Message:
        """Run to the end and tell everything."""
        self.request, self.group, self.limits = request, group, request["limits"]
        self.builder = _BUILDERS[request["backend"]]
        self.caps = {"stdout": self.limits["stdout_bytes"], "stderr": self.limits["stderr_bytes"], "said": 256, "info": 4096}
        self.is_watching = group.memory is None or group.processes is None or group.cpu is None
        standard_input = os.open(request["stdin"] or "/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self.way_in = group.way_in()
        group.hold_cpu()
        pack = _packing(request["harvest_to"]) if request["harvest"] else None
        kernel.stand_alone()
        loopback = Loopback(request["servers"], self.selector)  # while root, which alone may open the ports below 1024
        self._furnish(kernel.NOBODY if self.is_root else 0)
        if self.is_root:
            kernel.become_nobody()
        kernel.die_with_parent()
        tried = canary.cry(outside, word)
        started = time.monotonic()
        pid, pipes = self._start(standard_input)
        for name, descriptor in pipes.items():
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, (name, descriptor, None))
        status = self._watch(pid, loopback, started)
        wall = time.monotonic() - (self.began or started)
        self._empty_the_box()
        for name, descriptor in pipes.items():
            self._drain(name, descriptor)
        requests = loopback.close()
        tried += canary.cry(outside, word)
        if pack is not None and not pack(self._writable(request["harvest"]), self.limits["space_bytes"]):
            self.killed = self.killed or "temporary_space"
        if SAID in request["writable"]:
            self.streams["said"] += _said_in(f"{self._writable(SAID)}/word", self.caps["said"] + 1)
        return {
            "started": bool(self.began),
            "exit": os.waitstatus_to_exitcode(status),
            "killed": self.killed,
            "wall": wall,
            "cpu": self.sampled_cpu if (used := self._cpu()) is None else used,
            "files": {place: effects.collect(self._writable(place), request["collect_bytes"]) for place in request["collect"]},
            "requests": [{"port": r["port"], "received": _text(r["received"])} for r in requests],
            "tried": tried,
            **{name: _text(bytes(self.streams[name])) for name in ("stdout", "stderr", "said")},
        }

    def _furnish(self, owner: int) -> None:
        """Lay out the box's tree on one bounded tmpfs."""
        request, devices = self.request, self.builder.DEVICES
        # Opened before anything is covered. (Mounts of another namespace could not be bound.)
        sources = [(os.open(source, os.O_PATH | os.O_CLOEXEC), target) for source, target in request["binds"]]
        nodes = [(os.open(node, os.O_PATH | os.O_CLOEXEC), node) for node in devices]
        inodes = self.limits["inodes"] + 128 + 4 * len(request["binds"]) + 2 * len(request["files"])
        kernel.mount_tmpfs(_SPACE, f"size={self.limits['space_bytes']},nr_inodes={inodes},mode=0755", plain=self.builder.PLAIN)
        for target in ("/proc", "/dev", "/sys", "/tmp"):  # noqa: S108 - mount points in the box
            os.mkdir(self._place(target))
        for target, content in request["files"].items():
            _write(self._place(target), base64.b64decode(content))
        for link, target in (*request["symlinks"], *self.builder.LINKS):
            os.symlink(link, self._place(target))
        for descriptor, target in sources:
            place = self._place(target)
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                self._folder(place)
            elif not os.path.exists(place):  # a file of the runtime may be covered by another
                _write(place, b"")
            kernel.bind(f"/proc/self/fd/{descriptor}", place, read_only=True)
            os.close(descriptor)
        os.mkdir(f"{_SPACE}/nothing", 0o755)
        for target in request["covered"]:
            kernel.bind(f"{_SPACE}/nothing", f"{_TREE}{target}", read_only=True)
        for descriptor, target in nodes:
            _write(self._place(target), b"")
            kernel.bind(f"/proc/self/fd/{descriptor}", self._place(target), read_only=False, is_device=True)
            os.close(descriptor)
        if devices:
            os.mkdir(self._place("/dev/pts"))
            kernel.mount_terminals(self._place("/dev/pts"))
        os.mkdir(f"{_SPACE}/own", 0o700)  # the backend's own notes, out of the box's reach
        os.chown(f"{_SPACE}/own", owner, owner)
        for target in request["writable"]:
            own = self._writable(target)
            os.mkdir(own, 0o755)
            os.chown(own, owner, owner)
            self._folder(self._place(target))
            kernel.bind(own, self._place(target), read_only=False)

    def _place(self, target: str) -> str:
        """The place of a path of the box in the tree, its parents made."""
        place = f"{_TREE}{target}"
        self._folder(place.rpartition("/")[0])
        return place

    def _folder(self, place: str) -> None:
        if place not in self.parents:
            os.makedirs(place, exist_ok=True)
            self.parents.add(place)

    def _writable(self, target: str) -> str:
        return f"{_SPACE}/w{self.request['writable'].index(target)}"

    def _start(self, standard_input: int) -> tuple[int, dict[str, int]]:
        pipes, ends = {}, {}
        for name in ("stdout", "stderr", "said", "info"):
            pipes[name], ends[name] = os.pipe()
        wait, self.go = os.pipe()
        with self.way_in.inside():
            pid = int(self.builder.start(self.request, _TREE, standard_input, ends, wait))
        for descriptor in (*ends.values(), wait, standard_input):
            os.close(descriptor)
        return pid, pipes

    def _release(self, pid: int) -> None:
        """Bound the box, look whether it stands where the canary was tried from, and let it go on. Nothing foreign has run yet."""
        self.way_in.move(pid, self.box_pid)
        self.cpu_before = self.group.cpu_seconds() or 0.0  # building the box is no work of the target's
        if self.request["backend"] == "bubblewrap":  # runsc sets the target's own; its own memory is a file
            for one in (pid, self.box_pid):
                kernel.limit(one, self.limits)
        if os.readlink(f"/proc/{self.box_pid}/ns/net") != os.readlink("/proc/self/ns/net"):
            raise OSError("the box stands in another network than the one from which the way out was tried")
        self.began = time.monotonic()
        os.write(self.go, b"1")
        os.close(self.go)

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
                            self._release(pid)
                            deadline = self.began + self.limits["wall_seconds"] + self.request["grace_seconds"]
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
        used = self._cpu()
        if used is not None and used > self.limits["cpu_seconds"]:
            self._kill(pid, "cpu")
        if not self.is_watching or not self.box_pid:
            return
        resident, count, used = _tree(self.box_pid)
        self.sampled_cpu = max(self.sampled_cpu, used)
        if self.sampled_cpu > self.limits["cpu_seconds"]:
            self._kill(pid, "cpu")
        elif resident > self.limits["memory_bytes"] + self.builder.OVERHEAD_BYTES:
            self._kill(pid, "memory")
        elif count > self.limits["processes"] + self.builder.OVERHEAD_PROCESSES:
            self._kill(pid, "processes")

    def _cpu(self) -> float | None:
        """CPU seconds since the box was let go, where a group counts them."""
        used = self.group.cpu_seconds()
        return None if used is None else used - self.cpu_before

    def _kill(self, pid: int, reason: str) -> None:
        self.killed = self.killed or reason
        # The box's first process takes its whole pid namespace along; the outer one follows.
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


def _packing(file: str) -> Callable[[str, int], bool]:
    """Open the file for a build's harvest and load what packs it, both while they can still be reached."""
    from clearwell.proving import harvesting  # noqa: PLC0415 - every fork of the stage would carry it, and only a build needs it

    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    return lambda folder, most: harvesting.harvest(folder, descriptor, most)


def _write(place: str, content: bytes) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o444)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, 0o555 if content.startswith(b"#!") else 0o444)
    finally:
        os.close(descriptor)


def _said_in(file: str, size: int) -> bytes:
    """The first words of a file that the target may have replaced by anything."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as words:
        return words.read(size) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def _tree(pid: int) -> tuple[int, int, float]:
    """Resident bytes, number and CPU seconds (children that were waited for included) of the processes below `pid` and itself."""
    page, tick = resource.getpagesize(), os.sysconf("SC_CLK_TCK")
    resident, count, ticks, todo = 0, 0, 0, [pid]
    while todo and count < 4096:
        one = todo.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            resident += int(_read(f"/proc/{one}/statm").split()[1]) * page
            count += 1
            # Fields 14 to 17 of proc_pid_stat(5); the name before them may hold blanks and brackets.
            ticks += sum(int(field) for field in _read(f"/proc/{one}/stat").rpartition(b")")[2].split()[11:15])
            for task in os.listdir(f"/proc/{one}/task"):
                todo += [int(child) for child in _read(f"/proc/{one}/task/{task}/children").split()]
    return resident, count, ticks / tick


def _read(file: str) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 16)
    finally:
        os.close(descriptor)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
