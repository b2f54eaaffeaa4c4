# SPDX-License-Identifier: Apache-2.0
"""A hub for benchmarks: the real server and worker as processes of their own, and figures that stand beside a limit."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

CLEARWELL = Path(sys.executable).with_name("clearwell")


@dataclass(frozen=True)
class Figure:
    """One measured figure. `at_most` says whether the limit is a ceiling; None as limit: reported only."""

    what: str
    measured: float
    unit: str
    limit: float | None = None
    at_most: bool = True
    peer: str = ""

    @property
    def holds(self) -> bool:
        """True when the figure keeps its limit."""
        if self.limit is None:
            return True
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    def line(self) -> str:
        """For the terminal."""
        mark = "" if self.limit is None else "ok  " if self.holds else "MISS"
        return f"{mark:4} {self.what}: {self._number(self.measured)}{self._beside()}"

    def row(self, date: str) -> str:
        """For RESULTS.md."""
        beside = self._beside().removeprefix(" (").removesuffix(")")
        ratio = f"{self.measured / self.limit:.2f}" if self.limit else ""
        return f"| {self.what} | {self._number(self.measured)} | {beside} | {ratio} | {date} |"

    def _number(self, value: float) -> str:
        return f"{value:,.0f} {self.unit}" if abs(value) >= 100 else f"{value:.2f} {self.unit}"

    def _beside(self) -> str:
        if self.limit is None:
            return f" ({self.peer})" if self.peer else ""
        sign = "at most" if self.at_most else "at least"
        return f" ({sign} {self._number(self.limit)}{': ' + self.peer if self.peer else ''})"


class BenchHub:
    """A hub's data folder, its address and tokens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CLEARWELL_") or name == "CLEARWELL_CACHE"},
            "CLEARWELL_DATA_DIR": str(folder),
            "CLEARWELL_PORT": str(self.port),
            "CLEARWELL_PUBLIC_URL": self.url,
            "CLEARWELL_LOG_LEVEL": "error",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str) -> str:
        """Run a command to its end; return what it printed."""
        done = subprocess.run([CLEARWELL, *words], env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command and leave it running."""
        process = subprocess.Popen([CLEARWELL, *words], env=self.environment, start_new_session=True)
        self.processes.append(process)
        return process

    def wait_until_up(self, seconds: float = 60) -> float:
        """Wait for the server's health; return how long it took."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            try:
                if httpx.get(f"{self.url}/api/v1/health", timeout=2).status_code == 200:
                    return time.monotonic() - begin
            except httpx.HTTPError:
                time.sleep(0.02)
        raise SystemExit("the server did not come up")

    def member(self, kind: str, name: str) -> str:
        """A new organization with one person; return its token."""
        made = json.loads(self.run("organization", "add", name, "--kind", kind, "--person", "somebody", "--json"))
        (person,) = made["people"].values()
        words = ("--label", "bench", "--permission", "submit", "--permission", "read", "--json")
        return str(json.loads(self.run("token", "issue", str(person), *words))["token"])

    def stop(self) -> None:
        """Stop every process, and the embedded server with the last."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()


@contextmanager
def bench_hub(folder: Path) -> Iterator[BenchHub]:
    """A hub that is stopped at the end."""
    hub = BenchHub(folder)
    try:
        yield hub
    finally:
        hub.stop()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pids: list[int]) -> set[int]:
    """Processes and all that they started."""
    found = set(pids)
    grown = True
    while grown:
        grown = False
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in found:
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            if parent in found:
                found.add(int(entry.name))
                grown = True
    return found


def resident_mb(pids: list[int]) -> float:
    """Proportional resident memory of processes and all their children, in MB (a shared page counts once)."""
    total = 0
    for pid in family(pids):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def memory_gib() -> float:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
