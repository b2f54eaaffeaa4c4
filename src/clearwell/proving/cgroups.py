# SPDX-License-Identifier: Apache-2.0
"""Control groups around one run, version 2 or 1, where this process may write them. Standard library only: the stage imports it."""

import contextlib
import os
import time
from collections.abc import Iterator

PREFIX = "clearwell-"
_ROOT = "/sys/fs/cgroup"


class Group:
    """The folders of one run's control group (one in version 2, up to three in version 1).

    `memory`, `processes` and `cpu` say which are limited or measured by it.
    """

    def __init__(self, folder: str | None = None) -> None:
        """Without a folder nothing is limited; with one, everything is, by a group of version 2."""
        self.folders: list[str] = [] if folder is None else [folder]
        self.memory = self.processes = self.cpu = folder
        self.cpu_file = -1
        self.is_v2 = folder is not None

    def way_in(self) -> "WayIn":
        """Open the way into this group and back, while the file system of the control groups is in sight."""
        return WayIn(self.folders, is_v2=self.is_v2)

    def cpu_seconds(self) -> float | None:
        """CPU time of every process that ever was in the group, user and system."""
        try:
            if self.cpu_file < 0:
                return None
            told = os.pread(self.cpu_file, 4096, 0).decode("ascii")
            if self.is_v2:
                fields = dict(line.split() for line in told.splitlines())
                return int(fields["usage_usec"]) / 1e6
            return int(told) / 1e9
        except (OSError, KeyError, ValueError):
            return None

    def hold_cpu(self) -> None:
        """Open the account of CPU time, so that it can be read where the control groups' file system is out of sight."""
        if self.cpu is not None:
            self.cpu_file = os.open(f"{self.cpu}/{'cpu.stat' if self.is_v2 else 'cpuacct.usage'}", os.O_RDONLY | os.O_CLOEXEC)

    def memory_peak(self) -> int | None:
        """Highest use in bytes, where the kernel tells."""
        if self.memory is None:
            return None
        try:
            return int(_read(f"{self.memory}/{'memory.peak' if self.is_v2 else 'memory.max_usage_in_bytes'}"))
        except (OSError, ValueError):
            return None

    def has_run_out_of_memory(self) -> bool:
        """True when the kernel killed a process of the group for want of memory."""
        if self.memory is None:
            return False
        try:
            lines = _read(f"{self.memory}/{'memory.events' if self.is_v2 else 'memory.oom_control'}").splitlines()
        except OSError:
            return False
        return any(line.split()[0] == "oom_kill" and int(line.split()[1]) > 0 for line in lines if len(line.split()) == 2)

    def has_run_out_of_processes(self) -> bool:
        """True when the kernel refused a process for the limit of processes."""
        if self.processes is None:
            return False
        try:
            words = _read(f"{self.processes}/pids.events").split()
        except OSError:
            return False
        return words[:1] == ["max"] and int(words[1]) > 0

    def remove(self) -> None:
        """Kill what is left inside and remove the folders; waits at most two seconds for the kernel."""
        deadline = time.monotonic() + 2
        for folder in self.folders:
            while True:
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        break
                with contextlib.suppress(OSError):
                    _write(f"{folder}/cgroup.kill", 1)
                with contextlib.suppress(OSError, ValueError):
                    for pid in _read(f"{folder}/cgroup.procs").split():
                        os.kill(int(pid), 9)
                time.sleep(0.001)


class WayIn:
    """The way into a group, opened before it is out of sight (permission is checked at opening).

    In version 1 a process with one thread steps in, starts what the group is for, and steps out: what is started is born inside. To move
    another process the kernel waits until every fork on the machine is over (a grace period of RCU: milliseconds, and all wait for it);
    whoever moves himself, one thread, it lets through at once. Version 2 has no such door: there the processes are moved.
    """

    def __init__(self, folders: list[str], *, is_v2: bool) -> None:
        opened = [f"{folder}/cgroup.procs" if is_v2 else f"{folder}/tasks" for folder in folders]
        home = [] if is_v2 else [f"{os.path.dirname(folder)}/tasks" for folder in folders]
        self._doors, self._home = ([os.open(file, os.O_WRONLY | os.O_CLOEXEC) for file in files] for files in (opened, home))
        self._is_v2 = is_v2

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """What is started meanwhile is born in the group, where version 1 is; raise OSError when there is no way in or back."""
        try:
            for door in self._doors if not self._is_v2 else ():
                os.write(door, b"0")
            yield
        finally:
            for door in self._home:
                os.write(door, b"0")

    def move(self, *pids: int) -> None:
        """Move processes in, where they were not born there, and close the way; raise OSError."""
        for door in self._doors:
            for pid in pids if self._is_v2 else ():
                os.write(door, str(pid).encode())
        for door in (*self._doors, *self._home):
            os.close(door)


def make(memory_bytes: int, processes: int, root: str = _ROOT, membership: str | None = None) -> Group:
    """Make a group with both limits where this process may; what could not be had is None in the result, never assumed."""
    listing = _read("/proc/self/cgroup") if membership is None else membership
    name = f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
    group = _make_v2(memory_bytes, processes, root, listing, name)
    return group if group is not None else _make_v1(memory_bytes, processes, root, listing, name)


def can_limit() -> bool:
    """True when a group with limits of memory and processes can be made here."""
    group = make(64 << 20, 16)
    try:
        return group.memory is not None and group.processes is not None
    finally:
        group.remove()


def settle(root: str = _ROOT, membership: str | None = None) -> None:
    """Move into a leaf of the group that was handed over to us, so that the group itself may hand controllers on (version 2)."""
    listing = _read("/proc/self/cgroup") if membership is None else membership
    own = next((line[3:] for line in listing.splitlines() if line.startswith("0::")), None)
    if own is None:
        return
    leaf = f"{root}/{own.strip('/')}/stage"
    with contextlib.suppress(OSError):
        os.mkdir(leaf)
    with contextlib.suppress(OSError):
        _write(f"{leaf}/cgroup.procs", os.getpid())


def _make_v2(memory_bytes: int, processes: int, root: str, listing: str, name: str) -> Group | None:
    own = next((line[3:] for line in listing.splitlines() if line.startswith("0::")), None)
    if own is None:
        return None
    # A group with processes of its own may not hand controllers to children: look at our own, then at those above it.
    for base in _upwards(root, own):
        if not os.path.exists(f"{base}/cgroup.subtree_control"):
            continue
        folder = f"{base}/{name}"
        try:
            with contextlib.suppress(OSError):
                _write(f"{base}/cgroup.subtree_control", "+memory +pids")
            os.mkdir(folder)
        except OSError:
            continue
        try:
            _write(f"{folder}/memory.max", memory_bytes)
            _write(f"{folder}/pids.max", processes)
            with contextlib.suppress(OSError):
                _write(f"{folder}/memory.swap.max", 0)
            with contextlib.suppress(OSError):
                _write(f"{folder}/memory.oom.group", 1)
            os.close(os.open(f"{folder}/cgroup.procs", os.O_WRONLY))
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            continue
        return Group(folder)
    return None


def _upwards(root: str, own: str) -> list[str]:
    """Our own group's folder and those above it, up to the root."""
    parts = [part for part in own.split("/") if part]
    return ["/".join([root, *parts[:length]]) for length in range(len(parts), -1, -1)]


def _make_v1(memory_bytes: int, processes: int, root: str, listing: str, name: str) -> Group:
    group = Group()
    places = {}
    for line in listing.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            places[controller] = path.strip("/")
    for controller, setting, value in (
        ("memory", "memory.limit_in_bytes", memory_bytes),
        ("pids", "pids.max", processes),
        ("cpuacct", None, 0),
    ):
        if controller not in places:
            continue
        folder = "/".join(filter(None, (root, controller, places[controller], name)))
        try:
            os.mkdir(folder)
        except OSError:
            continue
        try:
            if setting is not None:
                _write(f"{folder}/{setting}", value)
            if controller == "memory":
                with contextlib.suppress(OSError):
                    _write(f"{folder}/memory.memsw.limit_in_bytes", value)
            for door in (f"{folder}/tasks", f"{os.path.dirname(folder)}/tasks"):  # in and back: see WayIn
                os.close(os.open(door, os.O_WRONLY))
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            continue
        group.folders.append(folder)
        if controller == "memory":
            group.memory = folder
        elif controller == "pids":
            group.processes = folder
        else:
            group.cpu = folder
    return group


def _read(file: str) -> str:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 20).decode("ascii", "replace")
    finally:
        os.close(descriptor)


def _write(file: str, value: int | str) -> None:
    # Never create: on a tmpfs that merely looks like a control group, writing would "succeed".
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def sweep(root: str = _ROOT) -> int:
    """Remove the groups that a killed process of ours left behind, with whatever is alive in them; return how many."""
    removed = 0
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        first = ["/".join(filter(None, (root, controller, path.strip("/")))) for controller in controllers.split(",")]
        bases = first if controllers else _upwards(root, path)
        for base in bases:
            with contextlib.suppress(OSError):
                for name in os.listdir(base):
                    owner = name.removeprefix(PREFIX).split("-")[0]
                    if name.startswith(PREFIX) and owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
                        Group(f"{base}/{name}").remove()
                        removed += not os.path.exists(f"{base}/{name}")
    return removed
