# SPDX-License-Identifier: Apache-2.0
"""Workers that are killed: another takes their jobs over; a job that kills every worker ends on the list that a person sees."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from clearwell.ground.identity.actor import IDENTITY
from clearwell.ground.jobs import queue
from clearwell.ground.jobs.queue import Job, defer
from clearwell.ground.jobs.worker import Work, WorkerPlan, work_until
from hub import Hub

STALLED = 2.0
STUCK = """
import sys, time, pathlib
from clearwell.ground.jobs.worker import WorkerPlan, run
def stuck(case):
    pathlib.Path(sys.argv[2]).write_text(case)
    time.sleep(600)
run(WorkerPlan(sys.argv[1], (), 1, 0.05, 600.0), {"stuck": ("trial", stuck)}, ())
"""


def _until(plan: WorkerPlan, work: Mapping[str, tuple[str, Work]], done: Callable[[], bool]) -> None:
    """Let a worker work until something is so, at most half a minute."""

    async def watch() -> None:
        worker = asyncio.create_task(work_until(plan, work, (), drain=False))
        deadline = time.monotonic() + 30
        while not done() and time.monotonic() < deadline and not worker.done():
            await asyncio.sleep(0.05)
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker

    asyncio.run(watch())


def _statuses(hub: Hub) -> list[tuple[str, str | None]]:
    with hub.house.transaction(IDENTITY) as tx:
        return [(job.status, job.error) for job in queue.list_jobs(tx, None)]


def test_jobs_of_a_killed_worker_are_taken_over_by_another(hub: Hub, tmp_path: Path) -> None:
    case, begun, seen = hub.house.new_id("case"), tmp_path / "begun", list[str]()

    def remember(case: str) -> None:
        seen.append(case)

    with hub.house.transaction(IDENTITY) as tx:
        defer(tx, [Job("trial", "stuck", {"case": case}, lock=f"stuck:{case}")])
    with subprocess.Popen([sys.executable, "-c", STUCK, hub.house.database.url, str(begun)]) as worker:
        while not begun.exists() and worker.poll() is None:
            _pause(hub)
        worker.kill()
    killed = time.monotonic()

    plan = WorkerPlan(hub.house.database.url, (), 1, 0.05, STALLED)
    _until(plan, {"stuck": ("trial", remember)}, lambda: bool(seen))

    assert seen == [case]
    assert time.monotonic() - killed < 20


def test_a_job_that_kills_every_worker_ends_on_the_list(hub: Hub) -> None:
    with hub.house.transaction(IDENTITY) as tx:
        defer(tx, [Job("trial", "deadly", {})])
        tx.execute("UPDATE procrastinate.procrastinate_jobs SET status = 'doing', attempts = 6, worker_id = NULL")

    plan = WorkerPlan(hub.house.database.url, (), 1, 0.05, STALLED)
    _until(plan, {"deadly": ("trial", lambda: None)}, lambda: _statuses(hub)[0][0] == "failed")

    assert _statuses(hub) == [("failed", "its worker died")]


def test_a_chore_that_fails_is_tried_again(hub: Hub) -> None:
    turns: list[int] = []

    def chore() -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            raise KeyError(len(turns))

    async def watch() -> None:
        plan = WorkerPlan(hub.house.database.url, (), 1, 0.05, STALLED)
        worker = asyncio.create_task(work_until(plan, {}, ((0.01, chore),), drain=False))
        while len(turns) < 3 and not worker.done():
            await asyncio.sleep(0.01)
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker

    asyncio.run(watch())

    assert len(turns) >= 3


def _pause(hub: Hub) -> None:
    with hub.house.transaction(IDENTITY) as tx:
        tx.value("SELECT pg_sleep(0.02)")
