# SPDX-License-Identifier: Apache-2.0
"""The worker: runs deferred jobs, retries with growing pauses, takes over the jobs of dead workers, keeps up the chores."""

import asyncio
import ctypes
import gc
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import procrastinate
import structlog
from procrastinate import JobContext, PsycopgConnector, RetryStrategy
from procrastinate.jobs import Job, Status
from psycopg import conninfo

from clearwell.vocabulary.errors import Unavailable

Work = Callable[..., None]
"""What a job's name stands for: called with the job's ids as keywords, in a thread of its own. Must be idempotent."""
Chore = tuple[float, Callable[[], None]]
"""Something done every so many seconds by each worker (folding the ledger, looking at clocks); must tolerate company."""

_LOG = structlog.get_logger("clearwell.jobs")
LANES = (("bulk", "sanity", "suggestion"), ("proving",))
"""Queues whose jobs take seconds; a worker serves each lane beside the others, never before them. What is in none shares the quick lane."""
_ATTEMPTS = 6


class JobFailed(Exception):
    """What the queue's own log hears of a failure: its kind and place, never its words (they may hold marked text)."""


class WorkerPlan(msgspec.Struct, frozen=True):
    """How a worker runs: times in seconds; empty `queues` means all.

    Who serves `intake` serves `bulk`, the big documents, too: they are one stage, and two queues only so that neither holds up the other.
    """

    url: str
    queues: tuple[str, ...]
    concurrency: int
    poll: float
    stalled: float

    @property
    def served(self) -> tuple[str, ...]:
        """The queues with the one that comes along; empty for all."""
        return (*self.queues, "bulk") if "intake" in self.queues and "bulk" not in self.queues else self.queues


def build(plan: WorkerPlan, work: Mapping[str, tuple[str, Work]]) -> procrastinate.App:
    """Make the queue's application with every job registered under its name."""
    settings: dict[str, Any] = dict(conninfo.conninfo_to_dict(plan.url))
    settings["options"] = "-c search_path=procrastinate"
    connector = PsycopgConnector(conninfo=conninfo.make_conninfo(**settings), min_size=1, max_size=2 * plan.concurrency + 6)
    app = procrastinate.App(connector=connector)
    retry = RetryStrategy(max_attempts=_ATTEMPTS, exponential_wait=2)
    for name, (queue, function) in work.items():
        app.task(name=name, queue=queue, retry=retry, pass_context=True)(_in_thread(app, function))
    return app


def _in_thread(app: procrastinate.App, function: Work) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, **ids: str | int) -> None:
        try:
            await asyncio.to_thread(function, **ids)
        except Exception as error:  # noqa: BLE001 whatever it is, the queue must hear of it, without its words
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} in {last.name}:{last.lineno}"
            await _remember(app, context.job.id, place)
            raise JobFailed(place) from None

    return run


async def _remember(app: procrastinate.App, job_id: int | None, place: str) -> None:
    """Keep the kind and the place of a failure; its words may hold marked text and stay out."""
    await _LOG.awarning("job failed", job=job_id, error=place)
    await app.connector.execute_query_async(
        "INSERT INTO clearwell.job_failure (job_id, error) VALUES (%(job_id)s, %(error)s)", job_id=job_id, error=place
    )


_COLLECT = (100_000, 50, 1_000)
"""Garbage is collected more seldom than by default: a batch's many objects live to its end; looking at them took a sixth of its time."""


_SWITCH = 0.001
"""Seconds after which a busy thread lets another on. A single report asks the database some thirty times, and after each answer it would
wait so long for every busy thread of the bulk lane: five times shorter than by default."""


_MALLOC = ((-8, 1), (-3, 1 << 20), (-1, 1 << 20))
"""mallopt(3): M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD. One heap for all threads (the interpreter runs one at a time), and what
a big document took goes back to the machine: ten MB less for each worker under load, at no cost in rate."""


def _give_memory_back() -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's own
    if mallopt is not None:
        for option, value in _MALLOC:
            mallopt(option, value)


def run(plan: WorkerPlan, work: Mapping[str, tuple[str, Work]], chores: Sequence[Chore], drain: bool = False) -> None:
    """Work until stopped by a signal; with `drain`, until no job is left that could run now."""
    _give_memory_back()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    sys.setswitchinterval(_SWITCH)
    asyncio.run(work_until(plan, work, chores, drain))


async def work_until(plan: WorkerPlan, work: Mapping[str, tuple[str, Work]], chores: Sequence[Chore], drain: bool) -> None:
    """The worker as a coroutine, so that `demo` can run it beside the server."""
    app = build(plan, work)
    try:
        await app.open_async()
    except procrastinate.exceptions.ConnectorException as reason:
        raise Unavailable("the worker cannot reach the database") from reason
    side = [asyncio.create_task(_repeat(*chore)) for chore in chores]
    side.append(asyncio.create_task(_rescue(app, plan)))
    groups = [asyncio.create_task(_serve(app, plan, queues, drain)) for queues in _groups(plan, work)]
    try:
        with _stopped_by_signals(groups):
            await asyncio.gather(*groups)
    except procrastinate.exceptions.ConnectorException as reason:
        raise Unavailable("the worker lost the database; start it again when the database answers") from reason
    except asyncio.CancelledError:
        if asyncio.current_task().cancelling():  # type: ignore[union-attr]  # inside a coroutine there is a current task
            raise
    finally:
        for task in (*side, *groups):
            task.cancel()
        await asyncio.gather(*side, *groups, return_exceptions=True)  # jobs under way are finished before the app closes
        await app.close_async()


def _groups(plan: WorkerPlan, work: Mapping[str, tuple[str, Work]]) -> list[tuple[str, ...]]:
    """The queues in groups that are served side by side: slow work in one must not hold up a code's mail in another."""
    queues = plan.served or tuple(sorted({queue for queue, _ in work.values()} | {"bulk"}))
    quick = tuple(q for q in queues if not any(q in lane for lane in LANES))
    slow = [tuple(q for q in queues if q in lane) for lane in LANES]
    return [group for group in (quick, *slow) if group] or [()]


@contextmanager
def _stopped_by_signals(groups: Sequence["asyncio.Task[None]"]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the work: jobs under way are finished, no more are begun."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for group in groups:
            group.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


async def _serve(app: procrastinate.App, plan: WorkerPlan, queues: tuple[str, ...], drain: bool) -> None:
    """Work through one group of queues; a draining one goes on while anything at all could still run."""
    await _work(app, plan, queues, drain)
    while drain and await _anything_left(app, plan):
        await asyncio.sleep(plan.poll)
        await _work(app, plan, queues, drain)


async def _work(app: procrastinate.App, plan: WorkerPlan, queues: tuple[str, ...], drain: bool) -> None:
    await app.run_worker_async(
        queues=list(queues) or None,  # type: ignore[arg-type]  # None means every queue
        concurrency=plan.concurrency,
        wait=not drain,
        fetch_job_polling_interval=plan.poll,
        update_heartbeat_interval=max(1.0, plan.stalled / 3),
        stalled_worker_timeout=plan.stalled,
        shutdown_graceful_timeout=10,
        install_signal_handlers=False,
    )


async def _anything_left(app: procrastinate.App, plan: WorkerPlan) -> bool:
    """True when a job of the plan's queues runs or could run now: what is under way may defer more."""
    query = """
        SELECT EXISTS (SELECT FROM procrastinate_jobs
                       WHERE (status = 'doing' OR status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))
                       AND (%(queues)s::text[] IS NULL OR queue_name = ANY (%(queues)s::text[]))) AS found
    """
    return bool((await app.connector.execute_query_one_async(query, queues=list(plan.served) or None))["found"])


async def _repeat(seconds: float, chore: Callable[[], None]) -> None:
    while True:
        try:
            await asyncio.to_thread(chore)
        except Unavailable as error:
            await _LOG.awarning("chore failed", chore=chore.__name__, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 a chore that dies silently is worse than one that is tried again
            last = traceback.extract_tb(error.__traceback__)[-1]
            await _LOG.aerror("chore failed", chore=chore.__name__, error=f"{type(error).__name__} in {last.name}:{last.lineno}")
        await asyncio.sleep(seconds)


async def _rescue(app: procrastinate.App, plan: WorkerPlan) -> None:
    """Put the jobs of workers that no longer send heartbeats back into their queues; one that killed worker after worker fails."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=plan.stalled):
                await _take_over(app, job)
            await app.job_manager.prune_stalled_workers(plan.stalled)
        except procrastinate.exceptions.ConnectorException:
            await _LOG.awarning("the queue does not answer")
        await asyncio.sleep(max(0.5, plan.stalled / 3))


async def _take_over(app: procrastinate.App, job: Job) -> None:
    if job.attempts < _ATTEMPTS:
        await _LOG.awarning("job of a dead worker taken over", job=job.id)
        await app.job_manager.retry_job(job)
    else:
        await _remember(app, job.id, "its worker died")
        await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
