# SPDX-License-Identifier: Apache-2.0
"""Jobs: deferred in the act's own transaction, ids only, tried again with growing pauses, then on a list that a person sees."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from clearwell import app
from clearwell.ground.identity.actor import IDENTITY
from clearwell.ground.jobs import queue
from clearwell.ground.jobs.queue import Job, defer
from clearwell.ground.jobs.worker import Work, build, work_until
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable
from hub import Hub

SECRET = "the parser copies 0x41 bytes past its end"


def _defer(hub: Hub, *jobs: Job) -> None:
    with hub.house.transaction(IDENTITY) as tx:
        defer(tx, jobs)


def _jobs(hub: Hub, status: str | None = None) -> tuple[queue.JobRow, ...]:
    with hub.house.transaction(IDENTITY) as tx:
        return queue.list_jobs(tx, status)


def _drain(hub: Hub, **work: Work) -> None:
    """Run what can run now, once."""
    plan = msgspec.structs.replace(app.plan_of(hub.house), poll=0.05)
    asyncio.run(work_until(plan, {name: ("trial", function) for name, function in work.items()}, (), drain=True))


def _sql(hub: Hub, statement: str) -> object:
    with hub.house.transaction(IDENTITY) as tx:
        return tx.value(statement)


def test_a_rollback_leaves_no_job(hub: Hub) -> None:
    with pytest.raises(KeyError), hub.house.transaction(IDENTITY) as tx:
        defer(tx, [Job("trial", "note", {"case": hub.house.new_id("case")})])
        raise KeyError

    assert _jobs(hub) == ()


def test_a_job_runs_with_its_ids(hub: Hub) -> None:
    case, seen = hub.house.new_id("case"), []
    _defer(hub, Job("trial", "note", {"case": case, "batch": 3}))

    _drain(hub, note=lambda **ids: seen.append(ids))

    assert seen == [{"case": case, "batch": 3}]
    assert [job.status for job in _jobs(hub)] == ["succeeded"]


@pytest.mark.parametrize("value", ["x" * 65, "hello", "pkg:npm/minimist@1.2.5", "case_", "", "case_01; DROP TABLE x"])
def test_arguments_that_are_no_ids_are_refused(hub: Hub, value: str) -> None:
    with pytest.raises(Invalid, match="ids only"):
        _defer(hub, Job("trial", "note", {"case": value}))


def test_a_failing_job_is_tried_again_with_growing_pauses_and_then_waits_for_a_person(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    tries = []

    def fail(case: str) -> None:
        tries.append(case)
        raise Unavailable(SECRET)

    _defer(hub, Job("trial", "fail", {"case": hub.house.new_id("case")}))
    pauses = []
    for _ in range(6):
        _drain(hub, fail=fail)
        pauses.append(_sql(hub, "SELECT round(extract(epoch FROM scheduled_at - now()))::int FROM procrastinate.procrastinate_jobs"))
        _sql(hub, "UPDATE procrastinate.procrastinate_jobs SET scheduled_at = now() RETURNING 1")
    _drain(hub, fail=fail)

    assert [2 ** (n + 1) - pause for n, pause in enumerate(pauses)] == pytest.approx([0] * 6, abs=1)
    (dead,) = _jobs(hub, "failed")
    assert (dead.name, dead.error, len(tries)) == ("fail", dead.error, 7)
    assert dead.error is not None and dead.error.startswith("Unavailable in fail:")
    assert SECRET not in "".join(capfd.readouterr())


def test_a_failed_job_is_put_back_by_a_person_with_all_its_tries(hub: Hub) -> None:
    _defer(hub, Job("trial", "note", {}))
    _sql(hub, "UPDATE procrastinate.procrastinate_jobs SET status = 'doing', attempts = 6 RETURNING 1")
    _sql(hub, "UPDATE procrastinate.procrastinate_jobs SET status = 'failed' RETURNING 1")
    (dead,) = _jobs(hub, "failed")
    seen: list[int] = []

    with hub.house.transaction(IDENTITY) as tx:
        queue.retry(tx, dead.id)

    assert [(job.status, job.attempts) for job in _jobs(hub)] == [("todo", 0)]
    _drain(hub, note=lambda: seen.append(1))
    assert seen == [1]
    with pytest.raises(NotFound), hub.house.transaction(IDENTITY) as tx:
        queue.retry(tx, dead.id)


def test_jobs_of_one_subject_take_turns(hub: Hub) -> None:
    under_way, most = [0], [0]

    def count(case: str) -> None:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        with hub.house.transaction(IDENTITY) as tx:
            tx.value("SELECT pg_sleep(0.05)")
        under_way[0] -= 1

    case = hub.house.new_id("case")
    _defer(hub, *[Job("trial", "count", {"case": case}, lock=f"count:{case}") for _ in range(4)])
    _drain(hub, count=count)

    assert most == [1]
    assert len(_jobs(hub, "succeeded")) == 4


def test_a_worker_serves_only_its_queues(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(worker_queues=("proving",))
    _defer(hub, Job("proving", "note", {}), Job("intake", "other", {}))
    seen: list[str] = []

    plan = app.plan_of(hub.house)
    work = {"note": ("proving", lambda: seen.append("note")), "other": ("intake", lambda: seen.append("other"))}
    asyncio.run(work_until(plan, work, (), drain=True))

    assert seen == ["note"]


def test_a_job_that_nobody_knows_fails_where_a_person_sees_it(hub: Hub) -> None:
    _defer(hub, Job("trial", "unknown", {}))

    _drain(hub, note=lambda: None)

    assert [job.name for job in _jobs(hub, "failed")] == ["unknown"]


def test_every_job_of_the_hub_has_the_queue_of_its_stage(hub: Hub) -> None:
    registered = build(app.plan_of(hub.house), app.work_of(hub.house)).tasks

    for name, (stage, _) in app.work_of(hub.house).items():
        assert registered[name].queue == stage
        assert registered[name].retry_strategy is not None
