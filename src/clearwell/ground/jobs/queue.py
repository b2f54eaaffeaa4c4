# SPDX-License-Identifier: Apache-2.0
"""The queue: deferring jobs inside the caller's transaction, and looking at those that failed. Arguments hold ids only."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from procrastinate.schema import SchemaManager
from psycopg.types.json import Jsonb

from clearwell.ground.storage.database import Row, Transaction, as_json
from clearwell.ground.storage.embedded import APPLICATION
from clearwell.vocabulary.errors import Invalid, NotFound

_ID = re.compile(r"[a-z]{2,12}_[0-7][0-9a-hjkmnp-tv-z]{25}")


class Job(msgspec.Struct, frozen=True):
    """Background work: the stage's queue, the name it is registered by, and ids. `lock` makes jobs of one subject take turns.

    Of jobs that wait, those of higher `priority` come first, then the older.
    """

    queue: str
    name: str
    ids: dict[str, str | int] = {}
    lock: str | None = None
    not_before: datetime | None = None
    priority: int = 0


_DEFER = """
SELECT procrastinate.procrastinate_defer_jobs_v1(
    ARRAY(SELECT jsonb_populate_recordset(NULL::procrastinate.procrastinate_job_to_defer_v1, %(jobs)s)))
"""


def defer(tx: Transaction, jobs: Sequence[Job]) -> None:
    """Defer jobs on the caller's own connection: a rollback leaves none. Raises Invalid for arguments that are not ids."""
    if not jobs:
        return
    for job in jobs:
        for name, value in job.ids.items():
            if isinstance(value, str) and _ID.fullmatch(value) is None:
                raise Invalid(f"job {job.name}: argument {name} is not an id; a job's arguments hold ids only")
    tx.execute(_DEFER, jobs=Jsonb([as_row(job) for job in jobs]))


def as_row(job: Job) -> dict[str, Any]:
    """A job as the queue's own function takes it."""
    return {
        "queue_name": job.queue, "task_name": job.name, "priority": job.priority, "lock": job.lock, "queueing_lock": None, "args": job.ids,
        "scheduled_at": job.not_before.isoformat() if job.not_before else None,
    }  # fmt: skip


def defer_once(tx: Transaction, jobs: Sequence[Job]) -> None:
    """Defer jobs, except where an equal one waits already and has not begun.

    The waiting one's row is locked until this transaction ends, so that it cannot begin before what it should see is committed.
    """
    fresh = []
    for job in jobs:
        waits = tx.value(
            """
            SELECT id FROM procrastinate.procrastinate_jobs
            WHERE status = 'todo' AND task_name = %(name)s AND args = %(ids)s AND (scheduled_at IS NULL OR scheduled_at <= now())
            LIMIT 1 FOR UPDATE SKIP LOCKED
            """,
            name=job.name,
            ids=as_json(job.ids),
        )
        if waits is None:
            fresh.append(job)
    defer(tx, fresh)


def foremost(tx: Transaction, name: str, queue: str | None = None, below: int | None = None) -> int | None:
    """The highest priority of the jobs of a name that wait (of one queue, below a priority, where stated); None when none does."""
    return tx.value(  # type: ignore[no-any-return]  # the column is an integer
        """
        SELECT priority FROM procrastinate.procrastinate_jobs
        WHERE status = 'todo' AND task_name = %(name)s AND (scheduled_at IS NULL OR scheduled_at <= now())
        AND (%(queue)s::text IS NULL OR queue_name = %(queue)s) AND (%(below)s::int IS NULL OR priority < %(below)s)
        ORDER BY priority DESC LIMIT 1
        """,
        name=name,
        queue=queue,
        below=below,
    )


def hasten(tx: Transaction, queue: str) -> None:
    """Let every waiting job of a queue begin now, whenever it was put off to."""
    tx.execute(
        """
        UPDATE procrastinate.procrastinate_jobs SET scheduled_at = NULL
        WHERE queue_name = %(queue)s AND status = 'todo' AND scheduled_at IS NOT NULL
        """,
        queue=queue,
    )


class JobRow(msgspec.Struct, frozen=True):
    """A job as an administrator sees it. `error` is the last failure's kind and place."""

    id: int
    queue: str
    name: str
    status: str
    attempts: int
    ids: dict[str, str | int]
    at: datetime | None
    error: str | None


def list_jobs(tx: Transaction, status: str | None, limit: int = 100) -> tuple[JobRow, ...]:
    """The newest jobs, of one status (`todo`, `doing`, `succeeded`, `failed`) or of all; `failed` is the dead-letter list."""
    rows = tx.rows(
        """
        SELECT j.id, j.queue_name AS queue, j.task_name AS name, j.status::text AS status, j.attempts, j.args AS ids, e.at, f.error
        FROM procrastinate.procrastinate_jobs j
        LEFT JOIN LATERAL (SELECT max(at) AS at FROM procrastinate.procrastinate_events WHERE job_id = j.id) e ON true
        LEFT JOIN LATERAL (SELECT error FROM clearwell.job_failure WHERE job_id = j.id ORDER BY at DESC LIMIT 1) f ON true
        WHERE %(status)s::text IS NULL OR j.status::text = %(status)s
        ORDER BY j.id DESC LIMIT %(limit)s
        """,
        status=status,
        limit=limit,
    )
    return tuple(msgspec.convert(row, JobRow) for row in rows)


def retry(tx: Transaction, job_id: int) -> None:
    """Put a failed job back into its queue, with all its attempts anew; raise NotFound if there is no such failed job."""
    done = tx.value("SELECT status::text FROM procrastinate.procrastinate_jobs WHERE id = %(id)s FOR UPDATE", id=job_id)
    if done != "failed":
        raise NotFound(f"there is no failed job {job_id}; `clearwell job list --failed` shows them")
    tx.execute("SELECT procrastinate.procrastinate_retry_job_v2(%(id)s, now(), NULL, NULL, NULL)", id=job_id)
    tx.execute("UPDATE procrastinate.procrastinate_jobs SET attempts = 0 WHERE id = %(id)s", id=job_id)


def waiting(tx: Transaction) -> int:
    """How many jobs are waiting or under way (a probe for tests, the demo and the health page)."""
    return int(tx.value("SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')"))


def install(connection: psycopg.Connection[Row]) -> None:
    """Install or bring forward Procrastinate's own schema, in a schema of its own, and grant its use to the application."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS procrastinate")
    connection.execute("SET LOCAL search_path = procrastinate")
    present = connection.execute("SELECT to_regclass('procrastinate.procrastinate_jobs') AS t").fetchone()
    if present is None or present["t"] is None:
        connection.execute(SchemaManager.get_schema().encode())
    connection.execute("SET LOCAL search_path = clearwell")
    for statement in (
        f"GRANT USAGE ON SCHEMA procrastinate TO {APPLICATION}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO {APPLICATION}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO {APPLICATION}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA procrastinate TO {APPLICATION}",
    ):
        connection.execute(statement.encode())
