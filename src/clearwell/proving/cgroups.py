# SPDX-License-Identifier: Apache-2.0
"""Control groups around one run, version 2 or 1, where this process may write them. Standard library only: the stage imports it."""

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "clearwell-"
_ROOT = Path("/sys/fs/cgroup")


@dataclass
class Group:
    """The folders of one run's control group (one in version 2, up to three in version 1).

    `memory`, `processes` and `cpu` say which are limited or measured by it.
    """

    folders: list[Path] = field(default_factory=list)
    memory: Path | None = None
    processes: Path | None = None
    cpu: Path | None = None
    cpu_file: int = -1
    is_v2: bool = False

    def procs(self) -> list[int]:
        """Open every `cgroup.procs` for writing: whoever writes 0 there joins (permission is checked at opening)."""
        return [os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for folder in self.folders]

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
            self.cpu_file = os.open(self.cpu / ("cpu.stat" if self.is_v2 else "cpuacct.usage"), os.O_RDONLY | os.O_CLOEXEC)

    def memory_peak(self) -> int | None:
        """Highest use in bytes, where the kernel tells."""
        if self.memory is None:
            return None
        try:
            return int((self.memory / ("memory.peak" if self.is_v2 else "memory.max_usage_in_bytes")).read_text())
        except (OSError, ValueError):
            return None

    def has_run_out_of_memory(self) -> bool:
        """True when the kernel killed a process of the group for want of memory."""
        if self.memory is None:
            return False
        try:
            lines = (self.memory / ("memory.events" if self.is_v2 else "memory.oom_control")).read_text().splitlines()
        except OSError:
            return False
        return any(line.split()[0] == "oom_kill" and int(line.split()[1]) > 0 for line in lines if len(line.split()) == 2)

    def has_run_out_of_processes(self) -> bool:
        """True when the kernel refused a process for the limit of processes."""
        if self.processes is None:
            return False
        try:
            words = (self.processes / "pids.events").read_text().split()
        except OSError:
            return False
        return words[:1] == ["max"] and int(words[1]) > 0

    def remove(self) -> None:
        """Kill what is left inside and remove the folders; waits at most two seconds for the kernel."""
        deadline = time.monotonic() + 2
        for folder in self.folders:
            while True:
                with contextlib.suppress(OSError):
                    (folder / "cgroup.kill").write_text("1")
                with contextlib.suppress(OSError, ValueError):
                    for pid in (folder / "cgroup.procs").read_text().split():
                        os.kill(int(pid), 9)
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.005)


def make(memory_bytes: int, processes: int, root: Path = _ROOT, membership: str | None = None) -> Group:
    """Make a group with both limits where this process may; what could not be had is None in the result, never assumed."""
    listing = Path("/proc/self/cgroup").read_text() if membership is None else membership
    name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    group = _make_v2(memory_bytes, processes, root, listing, name)
    return group if group is not None else _make_v1(memory_bytes, processes, root, listing, name)


def can_limit() -> bool:
    """True when a group with limits of memory and processes can be made here."""
    group = make(64 << 20, 16)
    try:
        return group.memory is not None and group.processes is not None
    finally:
        group.remove()


def settle(root: Path = _ROOT, membership: str | None = None) -> None:
    """Move into a leaf of the group that was handed over to us, so that the group itself may hand controllers on (version 2)."""
    listing = Path("/proc/self/cgroup").read_text() if membership is None else membership
    own = next((line[3:] for line in listing.splitlines() if line.startswith("0::")), None)
    if own is None:
        return
    leaf = root / own.strip("/") / "stage"
    with contextlib.suppress(OSError):
        leaf.mkdir()
        (leaf / "cgroup.procs").write_text(str(os.getpid()))


def _make_v2(memory_bytes: int, processes: int, root: Path, listing: str, name: str) -> Group | None:
    own = next((line[3:] for line in listing.splitlines() if line.startswith("0::")), None)
    if own is None:
        return None
    # A group with processes of its own may not hand controllers to children: look at our own, then at those above it.
    for base in [root / own.strip("/"), *(root / own.strip("/")).parents]:
        if base != root and root not in base.parents:
            break
        if not (base / "cgroup.subtree_control").exists():
            continue
        folder = base / name
        try:
            with contextlib.suppress(OSError):
                (base / "cgroup.subtree_control").write_text("+memory +pids")
            folder.mkdir()
        except OSError:
            continue
        try:
            _write(folder / "memory.max", memory_bytes)
            _write(folder / "pids.max", processes)
            with contextlib.suppress(OSError):
                _write(folder / "memory.swap.max", 0)
            with contextlib.suppress(OSError):
                _write(folder / "memory.oom.group", 1)
            os.close(os.open(folder / "cgroup.procs", os.O_WRONLY))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        return Group([folder], memory=folder, processes=folder, cpu=folder, is_v2=True)
    return None


def _make_v1(memory_bytes: int, processes: int, root: Path, listing: str, name: str) -> Group:
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
        folder = root / controller / places[controller] / name
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if setting is not None:
                _write(folder / setting, value)
            with contextlib.suppress(OSError):
                if controller == "memory":
                    _write(folder / "memory.memsw.limit_in_bytes", value)
            os.close(os.open(folder / "cgroup.procs", os.O_WRONLY))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        group.folders.append(folder)
        if controller == "memory":
            group.memory = folder
        elif controller == "pids":
            group.processes = folder
        else:
            group.cpu = folder
    return group


def _write(file: Path, value: int) -> None:
    # Never create: on a tmpfs that merely looks like a control group, writing would "succeed".
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def sweep(root: Path = _ROOT) -> int:
    """Remove the groups that a killed process of ours left behind, with whatever is alive in them; return how many."""
    removed = 0
    listing = Path("/proc/self/cgroup").read_text()
    for line in listing.splitlines():
        _, controllers, path = line.split(":", 2)
        bases = [root / c / path.strip("/") for c in controllers.split(",") if c] if controllers else []
        if not controllers:
            own = root / path.strip("/")
            bases = [own, *(parent for parent in own.parents if parent == root or root in parent.parents)]
        for base in bases:
            for folder in base.glob(f"{PREFIX}*"):
                owner = folder.name.removeprefix(PREFIX).split("-")[0]
                if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                    Group([folder]).remove()
                    removed += not folder.exists()
    return removed
