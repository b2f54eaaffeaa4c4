# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a proving worker while a proof runs in its box: another takes the job up, one verdict, and the host is as before."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaos.rig import COMMAND
from clearwell.clearinghouse.flow import reporting
from clearwell.clearinghouse.flow.reporting import Envelope
from clearwell.ground.identity.actor import PROVING, OrganizationKind
from clearwell.ground.storage.embedded import PROVER
from clearwell.proving import cgroups
from clearwell.proving.prover import Prover
from clearwell.proving.statement import make_signer
from house.rows import database_of
from hub import Hub
from proving.lab import Index, wheel, write_folder
from story import report

PATIENT = """
import os, sys, time
if sys.argv[1:] == ["sleepy"]:
    import sleepy
    time.sleep(1.5)
    open("/box/out/x" if not sleepy.FIXED else "/box/root/x", "w").write("x")
print("ok")
"""
HARNESS = """format = 1
version = 1
for = ["pkg:pypi/sleepy"]
command = ["python3", "{harness}/patient.py", "{args}"]
[[feature]]
input = { text = "" }
output = "ok"
"""
PROOF = """format = 1
title = "a flaw that takes its time"
weakness = "CWE-73"
harness = "sleepy"
args = ["sleepy"]
input = { text = "x" }
[target]
purl = "pkg:pypi/sleepy@1.0"
[control]
purl = "pkg:pypi/sleepy@1.1"
[oracle]
kind = "file_write"
"""
PASSED_ON = (
    "data_dir", "harnesses", "worker_poll_seconds", "stalled_worker_seconds", "log_level", "proving_recheck_share", "proving_runs",
    "proving_apart", "proving_worker_keys",
)  # fmt: skip
TARGET = "/box/harness/patient.py\0sleepy"
"""How the target's own process, inside its box, is called."""


def _until(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.01)
    return found


def _processes() -> dict[int, tuple[int, str]]:
    """Every process of the machine that is no zombie: its parent and its command."""
    found = {}
    for place in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, parent = (place / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                found[int(place.name)] = (int(parent), (place / "cmdline").read_text(errors="replace"))
    return found


def _below(pid: int) -> dict[int, str]:
    """The processes below one, with their commands."""
    every = _processes()
    found: dict[int, str] = {}
    todo = [pid]
    while todo:
        parent = todo.pop()
        for child, (above, command) in every.items():
            if above == parent:
                found[child] = command
                todo.append(child)
    return found


def _groups(stages: set[int]) -> list[Path]:
    """The control groups that these stages made (others may run tests beside us)."""
    return [found for pid in stages for found in Path("/sys/fs/cgroup").rglob(f"{cgroups.PREFIX}{pid}-*")]


def _worker(hub: Hub, environment: dict[str, str], log: Path, *arguments: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A worker of the hub's own."""
    stated = msgspec.structs.asdict(hub.house.settings)
    told = {f"CLEARWELL_{name.upper()}": _text(stated[name]) for name in PASSED_ON if stated[name] is not None}
    return _process({**environment, **told, "CLEARWELL_DATABASE_URL": hub.house.database.url}, log, "worker", *arguments)


def _text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


@contextmanager
def _process(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLEARWELL_")}
        command = [sys.executable, "-c", COMMAND, *arguments]
        process = subprocess.Popen(command, env={**inherited, **environment}, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def index() -> Iterator[Index]:
    """An index of our own, with a flaw that takes its time."""
    opened = Index()
    for version, fixed in (("1.0", False), ("1.1", True)):
        name, content = wheel("sleepy", version, {"sleepy.py": f"FIXED = {fixed}\n"})
        opened.files[name] = content
    yield opened
    opened.close()


@pytest.mark.sandbox
def test_a_proving_worker_killed_during_a_run_leaves_its_job_to_another_and_nothing_else(make_hub, index: Index, tmp_path: Path):
    # given a report with a proof, answered as far as it can be without a run, and two workers for the rest
    write_folder(tmp_path / "harnesses" / "sleepy", {"harness.toml": HARNESS, "patient.py": PATIENT})
    hub: Hub = make_hub(harnesses=tmp_path / "harnesses", stalled_worker_seconds=4.0, worker_poll_seconds=0.2, proving_runs=1)
    lab = hub.member(OrganizationKind.LAB)
    proof = {"files": {"proof.toml": PROOF}}
    finding = {"product": {"purl": "pkg:pypi/sleepy@1.0"}, "weakness": "CWE-73", "locations": None, "proof": proof}
    sent = reporting.submit_report(hub.house, lab, [report(finding)], Envelope(name="report.json")).id
    temporary, cache = tmp_path / "tmp", tmp_path / "cache"
    temporary.mkdir()
    environment = {**index.environment, "CLEARWELL_CACHE": str(cache), "TMPDIR": str(temporary)}
    with _worker(hub, environment, tmp_path / "first.log", "--queues", "intake,sanity", "--drain") as first:
        assert first.wait(60) == 0
    mounts = Path("/proc/self/mountinfo").read_text()

    proving = ("--queues", "proving")
    with (
        _worker(hub, environment, tmp_path / "one.log", *proving) as one,
        _worker(hub, environment, tmp_path / "other.log", *proving) as other,
    ):
        # when the one that took the job is killed, seen to be at it: its target runs in its box
        killed, below = _until(lambda: _at_it(one, other), "a target runs")
        survivor = other if killed is one else one
        assert _status(hub) == ["doing"]
        assert _groups(set(below)) or not cgroups.can_limit()
        assert list((cache / "scratch").iterdir())
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        # then its box, its stage and all that was in them end with it
        _until(lambda: not below.keys() & _processes().keys(), "everything below the killed worker is dead", 10)
        # and the other takes the job up and comes to the one verdict
        _until(lambda: _status(hub) == ["succeeded"], "the job is done")
        assert survivor.poll() is None
        left = _below(survivor.pid)

    answered = reporting.read_answers(hub.house, lab, sent)[0].finding
    assert answered.answer.value == "reproduced"
    with hub.house.transaction(PROVING) as tx:
        assert tx.value("SELECT count(*) FROM clearwell.run") == 1
        assert tx.value("SELECT count(*) FROM clearwell.ledger_entry WHERE type = 'proof.validated'") == 1
        assert tx.value("SELECT attempts FROM procrastinate.procrastinate_jobs WHERE task_name = 'validate'") == 2
    # and the host is as before
    assert not [command for command in left.values() if "/box/" in command or "bwrap" in command]
    assert _groups({*below, *left}) == []
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert list((cache / "scratch").iterdir()) == []
    assert list(temporary.iterdir()) == []


def _at_it(*workers: subprocess.Popen[bytes]) -> tuple[subprocess.Popen[bytes], dict[int, str]] | None:
    """The worker whose target runs in its box now, and every process below it."""
    for worker in workers:
        below = _below(worker.pid)
        if any(TARGET in command for command in below.values()):
            return worker, below
    return None


@pytest.mark.sandbox
def test_a_worker_apart_that_is_killed_loses_no_order_and_a_worker_apart_needs_nothing_of_the_hub(
    make_hub, server: Any, index: Index, tmp_path: Path
):
    # given a hub that runs nothing itself, and two workers with a key each, who know an address of a role and the harnesses
    write_folder(tmp_path / "harnesses" / "sleepy", {"harness.toml": HARNESS, "patient.py": PATIENT})
    for number in (1, 2):
        (tmp_path / f"{number}.key").write_bytes(bytes([number]) * 32)
    hub: Hub = make_hub(
        harnesses=None,
        stalled_worker_seconds=4.0,
        worker_poll_seconds=0.2,
        proving_runs=1,
        proving_apart=True,
        proving_worker_keys=tuple(Prover("", bytes([number]) * 32, None).public for number in (1, 2)),
    )
    lab = hub.member(OrganizationKind.LAB)
    finding = {
        "product": {"purl": "pkg:pypi/sleepy@1.0"},
        "weakness": "CWE-73",
        "locations": None,
        "proof": {"files": {"proof.toml": PROOF}},
    }
    sent = reporting.submit_report(hub.house, lab, [report(finding)], Envelope(name="report.json")).id
    cache = tmp_path / "cache"
    apart = {
        **index.environment,
        "CLEARWELL_CACHE": str(cache),
        "CLEARWELL_HARNESSES": str(tmp_path / "harnesses"),
        "CLEARWELL_PROVER_URL": server.url(PROVER, database_of(hub)),
        "CLEARWELL_DATA_DIR": str(tmp_path / "none"),
        "CLEARWELL_WORKER_POLL_SECONDS": "0.2",
        "CLEARWELL_STALLED_WORKER_SECONDS": "5",
    }

    def prover(number: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
        own = {**apart, "CLEARWELL_PROVING_WORKER_KEY": str(tmp_path / f"{number}.key")}
        return _process(own, tmp_path / f"{number}.log", "prover", "run")

    with _worker(hub, index.environment, tmp_path / "hub.log") as _, prover(1) as one, prover(2) as other:
        # when the one that has the order is killed while its target runs
        killed, below = _until(lambda: _at_it(one, other), "a target runs")
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        _until(lambda: not below.keys() & _processes().keys(), "everything below the killed worker is dead", 10)
        # then the other takes the order up, and the hub believes it for its signature
        _until(lambda: reporting.read_answers(hub.house, lab, sent)[0].finding.answer.value == "reproduced", "the proof reproduced")
        survivor = "2" if killed is one else "1"

    with hub.house.transaction(PROVING) as tx:
        run = tx.row("SELECT count(*) AS n, max(worker) AS worker FROM clearwell.run")
        assert run == {"n": 1, "worker": make_signer(bytes([int(survivor)]) * 32).public_key.keyid}
        assert tx.value("SELECT count(*) FROM clearwell.work_order") == 0
    assert not (tmp_path / "none").exists()
    assert list((cache / "scratch").iterdir()) == []
    assert _groups(set(below)) == []


def _status(hub: Hub) -> list[str]:
    with hub.house.transaction(PROVING) as tx:
        query = "SELECT status::text AS status FROM procrastinate.procrastinate_jobs WHERE task_name = 'validate'"
        return [row["status"] for row in tx.rows(query)]
